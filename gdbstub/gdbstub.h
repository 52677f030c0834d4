/*
 * libgdbstub: a server for the GDB Remote Serial Protocol.
 *
 * The embedding program describes what it debugs by a struct gdbstub_ops, opens an endpoint with
 * gdbstub_listen() and calls gdbstub_serve(). The library knows nothing of KVM or x86; it does no
 * I/O but on its own sockets, allocates nothing after gdbstub_new() but room for
 * the conditions of breakpoints (16 MiB at most), and uses one thread: the one
 * that calls gdbstub_serve(), in which every operation but kick() is called.
 *
 * "The manual" in comments is appendix E of the GDB manual, "GDB Remote Serial Protocol".
 */
#ifndef GDBSTUB_H
#define GDBSTUB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct gdbstub;

/* Largest packet either side may send, with its frame; announced as PacketSize, in hex. */
#define GDBSTUB_PACKET_SIZE 0x10000

/* Signals in GDB's own numbering (include/gdb/signals.def), as stop replies carry them. */
enum gdbstub_signal {
	GDBSTUB_SIGNAL_NONE = 0, /* "Program stopped." */
	GDBSTUB_SIGNAL_INT = 2,
	GDBSTUB_SIGNAL_ILL = 4,
	GDBSTUB_SIGNAL_TRAP = 5,
	GDBSTUB_SIGNAL_FPE = 8,
	GDBSTUB_SIGNAL_BUS = 10,
	GDBSTUB_SIGNAL_SEGV = 11,
	GDBSTUB_SIGNAL_TERM = 15,
};

enum gdbstub_reason {
	GDBSTUB_STOPPED,     /* a step, an interrupt, a fault: what the signal says */
	GDBSTUB_SWBREAK,     /* at a point set by Z0; pc is the point's address */
	GDBSTUB_HWBREAK,     /* at a point set by Z1 */
	GDBSTUB_WATCH,	     /* behind an instruction that wrote to a Z2 point, at `addr` */
	GDBSTUB_RWATCH,	     /* read from a Z3 point */
	GDBSTUB_AWATCH,	     /* read from or wrote to a Z4 point */
	GDBSTUB_INTERRUPTED, /* gdbstub_poll() told the target to stop */
	GDBSTUB_EXITED,      /* the whole target has ended; `status` is its exit status */
};

struct gdbstub_stop {
	enum gdbstub_reason reason;
	enum gdbstub_signal signal;
	int thread; /* that caused the stop, from 1 */
	int status; /* GDBSTUB_EXITED only: 0 to 255 */
	uint64_t addr; /* GDBSTUB_WATCH, _RWATCH, _AWATCH only: the first watched byte accessed */
	bool halted;   /* the step has ended in a halt that nothing is to wake: no other is to follow it */
};

/* The types of point, as the Z packets number them. */
enum gdbstub_point {
	GDBSTUB_POINT_SOFTWARE = 0,
	GDBSTUB_POINT_HARDWARE = 1,
	GDBSTUB_POINT_WRITE = 2,
	GDBSTUB_POINT_READ = 3,
	GDBSTUB_POINT_ACCESS = 4,
};

enum gdbstub_resume { GDBSTUB_HOLD, GDBSTUB_CONTINUE, GDBSTUB_STEP };

/* A row of the target's own `monitor` commands. `args` and `help` are what `monitor help` prints. */
struct gdbstub_monitor {
	const char *name;
	const char *args;
	const char *help;
	/* `args` is what follows the name, without leading blanks. Writes with gdbstub_printf(). */
	int (*handler)(struct gdbstub *stub, void *target, const char *args);
};

/* A piece of the address space; one without a permission is not mapped. */
struct gdbstub_region {
	uint64_t start, size; /* bytes; start + size may be 2^64 */
	bool readable, writable, executable;
};

/* A file that clients may read. */
struct gdbstub_file {
	const char *name; /* an absolute path, by which clients ask for it */
	uint64_t size;	  /* bytes */
	int64_t modified; /* seconds since the epoch */
};

/*
 * What the target can do. Unless a comment says otherwise an operation returns 0 when done, a
 * negative errno for an error (gdbstub_error() may add a sentence to it), and a positive value for
 * "not supported", which the client is told by an empty reply.
 */
struct gdbstub_ops {
	/* Threads: the smallest id above `after`, or 0. Ids start at 1. */
	int (*thread_next)(void *target, int after);
	/* A short text for `info threads`, at most `size` bytes with its 0. */
	void (*thread_info)(void *target, int thread, char *text, size_t size);

	/*
	 * Layouts: a target whose registers change with its mode has more than one description.
	 * layout() gives the one, from 0 up, that suits the thread now; layout_name() is what the
	 * user is told on a switch, and must not start with '/'; description() gives the whole
	 * text of an annex ("target.xml"), or NULL.
	 */
	int (*layout)(void *target, int thread);
	const char *(*layout_name)(void *target, int layout);
	const char *(*description)(void *target, int layout, const char *annex);
	/* The same for lldb, as LLVM names targets ("x86_64-unknown-unknown"). May be NULL. */
	const char *(*triple)(void *target, int layout);

	/*
	 * Registers, in the target's byte order. registers_read() fills `buf` with the block that
	 * `g` carries and returns its length in bytes, at most GDBSTUB_PACKET_SIZE / 4;
	 * registers_write() takes the same. The single forms return the register's length, and take
	 * exactly that. expedited() is a list, ended by -1, of the registers to put into stop
	 * replies, so that the client need not ask for them.
	 */
	ssize_t (*registers_read)(void *target, int thread, int layout, void *buf, size_t size);
	int (*registers_write)(void *target, int thread, int layout, const void *buf, size_t len);
	ssize_t (*register_read)(void *target, int thread, int layout, int number, void *buf,
				 size_t size);
	int (*register_write)(void *target, int thread, int layout, int number, const void *buf,
			      size_t len);
	const int *(*expedited)(void *target, int layout);
	/* The program counter, by the addresses that breakpoints have. */
	uint64_t (*pc)(void *target, int thread);
	int (*set_pc)(void *target, int thread, uint64_t addr);

	/*
	 * Memory, by the addresses that the thread uses. memory_read() returns how many bytes were
	 * readable from the start, at least 1; memory_write() writes all or nothing.
	 */
	ssize_t (*memory_read)(void *target, int thread, uint64_t addr, void *buf, size_t len);
	int (*memory_write)(void *target, int thread, uint64_t addr, const void *buf, size_t len);

	/* The region that `addr` is in. May be NULL. */
	int (*memory_region)(void *target, int thread, uint64_t addr, struct gdbstub_region *region);

	/*
	 * Points. Both are idempotent (the manual asks for it); `len` is the packet's "kind", which
	 * for the types that watch data is a length in bytes. point_here() tells whether a
	 * breakpoint is set at the thread's pc: GDBSTUB_SWBREAK, GDBSTUB_HWBREAK or GDBSTUB_STOPPED.
	 * point_hit() does, too, when the thread has come there by a step of many: as in run(), one
	 * counts only if gdbstub_point_hit() says so. Conditions are the library's, which takes registers and
	 * memory to have the least significant byte first.
	 */
	int (*point_insert)(void *target, enum gdbstub_point kind, uint64_t addr, uint64_t len);
	int (*point_remove)(void *target, enum gdbstub_point kind, uint64_t addr, uint64_t len);
	void (*points_clear)(void *target);
	/* A client has gone, in whatever way: what it alone has chosen ends. May be NULL. */
	void (*session_ended)(void *target);
	enum gdbstub_reason (*point_here)(void *target, int thread);
	enum gdbstub_reason (*point_hit)(void *target, int thread);

	/*
	 * Runs until something is to be reported. action() says what is asked of a thread. kick() is
	 * called, from a signal handler, whenever gdbstub_poll() should be called. Where running can
	 * take long, run() calls that at the start, too: for what came before, and since a client is
	 * listened to from then on (in a step it is not, so that its packets cost no signals; kick()
	 * comes after a while). Once it has returned true, run() ends with GDBSTUB_INTERRUPTED if
	 * nothing else has happened.
	 */
	void (*run)(void *target, enum gdbstub_resume (*action)(const struct gdbstub *, int thread),
		    struct gdbstub_stop *stop);
	void (*kick)(void *target);

	/* Begins anew, as after power-on (`R`). After an error the target is taken to be gone. */
	int (*restart)(void *target);

	/*
	 * The program that runs in the target, for a client that was given no file of its own, and
	 * how far from where it was linked it runs (added to every address, modulo 2^64). file() and
	 * what it returns do not change while the stub serves; NULL: there is none. file_read()
	 * returns how many bytes of at most `size` it has read, 0 at the end. All may be NULL.
	 */
	const struct gdbstub_file *(*file)(void *target);
	ssize_t (*file_read)(void *target, uint64_t offset, void *buf, size_t size);
	uint64_t (*load_offset)(void *target);

	/* Whoever runs the program should know this, a sentence without its end. May be NULL. */
	void (*notice)(void *target, const char *text);

	/* The target's `monitor` commands; a row without a name ends them. May be NULL. */
	const struct gdbstub_monitor *monitor;
};

/* What to do with the target when a client's connection breaks without a D or k packet. */
enum gdbstub_on_disconnect { GDBSTUB_DISCONNECT_STOP, GDBSTUB_DISCONNECT_RUN, GDBSTUB_DISCONNECT_EXIT };

/* How gdbstub_serve() ended. */
enum gdbstub_end {
	GDBSTUB_END_KILLED,	  /* by the client: k, vKill */
	GDBSTUB_END_EXITED,	  /* run() reported GDBSTUB_EXITED */
	GDBSTUB_END_STOPPED,	  /* run() stopped by itself with no client there */
	GDBSTUB_END_DISCONNECTED, /* the last client is gone and none can come, or policy says so */
};

/*
 * Returns NULL with errno set when there is no memory. `ops` and `target` must outlive the stub. Takes over SIGIO,
 * which comes from clients while the target runs, and SIGURG, from a listener and from a timer of the library's; expects
 * SIGPIPE to be ignored.
 */
struct gdbstub *gdbstub_new(const struct gdbstub_ops *ops, void *target);
/*
 * The handler of both, for a target that has SIGIO blocked and takes it in another way when it has come: by
 * sigtimedwait(), say, which takes less time. SIGURG must not be blocked while the target runs.
 */
void gdbstub_on_signal(int number);
void gdbstub_free(struct gdbstub *stub);
void gdbstub_set_on_disconnect(struct gdbstub *stub, enum gdbstub_on_disconnect what);

/* The target was made for its client: a gdb that quits is to end it, not to leave it running. */
void gdbstub_set_created(struct gdbstub *stub, bool created);

/*
 * Before gdbstub_listen(): which thread gets the signals of input, if not the one that calls the library. A program
 * that lets nothing but this very argument through to fcntl() needs to have it in a place of its own.
 */
struct f_owner_ex;
void gdbstub_set_owner(struct gdbstub *stub, const struct f_owner_ex *owner);

/*
 * Opens an endpoint: "[HOST]:PORT" (an empty HOST is 127.0.0.1, IPv6 addresses in brackets, port 0
 * picks one), "unix:PATH" (a socket with mode 0600, which takes
 * clients of this process' user and of root alone) or "stdio". Returns 0, or a negative errno with
 * a sentence in `why`.
 */
int gdbstub_listen(struct gdbstub *stub, const char *endpoint, char *why, size_t size);

/* The endpoint as a client on this machine names it: "127.0.0.1:1234", "/run/x", "stdio". */
const char *gdbstub_endpoint(const struct gdbstub *stub);
/* Whether other machines can reach the endpoint. */
bool gdbstub_is_public(const struct gdbstub *stub);

/*
 * Serves one client after the other until the target has ended or nobody can come any more. With
 * `running` the target runs until the first client connects. `*stop` is the last stop.
 */
enum gdbstub_end gdbstub_serve(struct gdbstub *stub, bool running, struct gdbstub_stop *stop);

/*
 * After gdbstub_listen(): whether the endpoint is a Unix socket, whose file, gdbstub_endpoint(), the caller is then
 * to remove at the end. Otherwise gdbstub_free() does.
 */
bool gdbstub_take_socket(struct gdbstub *stub);

/* For run(): reads what the client has sent; true when the target is to stop. Never blocks. */
bool gdbstub_poll(struct gdbstub *stub);

/* What becomes of a thread that has come to a breakpoint: it goes on, but for the last. */
enum gdbstub_hit {
	GDBSTUB_MISS,	/* its conditions say no */
	GDBSTUB_SERVED, /* its commands were carried out, and that was all */
	GDBSTUB_STOP,
};

/*
 * For run(): the thread has come to a breakpoint, by its type (GDBSTUB_POINT_SOFTWARE or _HARDWARE) and address.
 * Evaluates the conditions that the client has set with it and carries out its commands, and returns whether to
 * stop there; if not, run() goes on from it, as if it were not there. To be called once for each time that the
 * thread comes there, of both types if both are set, and not where a client's own step ends.
 */
enum gdbstub_hit gdbstub_point_hit(struct gdbstub *stub, enum gdbstub_point kind, uint64_t addr, int thread);

/* Whether a client is connected. */
bool gdbstub_connected(const struct gdbstub *stub);

/* Why the client's last breakpoint or watchpoint was refused, of which gdb says nothing; NULL if none was. */
const char *gdbstub_refusal(const struct gdbstub *stub);

/*
 * Prints to the client's console (an O packet), at once. Only inside run(), restart() and a monitor
 * command; does nothing without a client.
 */
void gdbstub_write(struct gdbstub *stub, const void *text, size_t len);
void gdbstub_printf(struct gdbstub *stub, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Says, for the error that the running operation is about to return, why. Shown to the user by
 * clients that take error messages (gdb 16 and newer). Returns `error`.
 */
int gdbstub_error(struct gdbstub *stub, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
