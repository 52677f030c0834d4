/* kvmgdb: boots x86 code on a bare KVM virtual CPU and serves it to gdb. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "disks/drives.h"
#include "input.h"
#include "leftovers.h"
#include "load/load.h"
#include "machine.h"
#include "message.h"
#include "options.h"
#include "resident.h"
#include "sandbox.h"
#include "screen_live.h"
#include "screenshot.h"
#include "sealed.h"
#include "symbols.h"
#include "target.h"
#include "terminal.h"

/* Signal handlers have no other way to what they must clean up. */
static struct machine machine;
static volatile pid_t command; /* 0: none, or ended */

/* The way out that is open to a signal handler, too: only async-signal-safe calls. */
static void leave(int status)
{
	if (command > 0)
		kill(command, SIGTERM);
	leftovers_remove();
	input_restore();
	terminal_restore();
	_exit(status);
}

/* While the guest runs it is left in good order, and with a word about where it was; else at once. */
static void end(int status)
{
	if (!machine_end(&machine, status))
		leave(status);
	/* Unless it hangs in writing to somebody who does not read. */
	alarm(2);
}

static void on_end(int number)
{
	end(128 + number);
}

static void on_timeout(int number)
{
	static const char text[] = "kvmgdb: timeout\n";

	(void)number;
	if (machine_ending() >= 0)
		leave(machine_ending());
	if (machine_end(&machine, EXIT_TIMEOUT)) {
		alarm(2);
		return;
	}
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0) {
		/* nobody to be told */
	}
	leave(EXIT_TIMEOUT);
}

static void on_child(int number)
{
	int status, saved = errno;

	(void)number;
	if (command > 0 && waitpid(command, &status, WNOHANG) == command) {
		command = 0;
		end(command_status(status));
	}
	errno = saved;
}

/* It is gdb's: it comes to this process too when both have one terminal. */
static void on_interrupt(int number)
{
	(void)number;
}

static void catch(int number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

	/* One at a time: they share what they clean up. */
	sigfillset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

static void catch_signals(const struct options *options)
{
	struct sigaction before;

	catch(SIGTERM, on_end);
	/* Unless it is to outlive its terminal: nohup. */
	if (sigaction(SIGHUP, NULL, &before) || before.sa_handler != SIG_IGN)
		catch(SIGHUP, on_end);
	catch(SIGQUIT, on_end);
	catch(SIGALRM, on_timeout);
	catch(SIGCHLD, on_child);
	catch(SIGINT, options->command || !strcmp(options->gdb, "stdio") ? on_interrupt : on_end);
	signal(SIGPIPE, SIG_IGN);
}

/* What the end of the guest means for the exit status, with a word if it was not its own doing. */
static int guest_status(const struct options *options, const struct gdbstub_stop *stop)
{
	char where[32];

	if (stop->reason == GDBSTUB_EXITED) {
		if (stop->status == EXIT_TIMEOUT)
			message("timeout after %u s, at %s", options->timeout,
				vcpu_where(&machine.vcpu, where, sizeof(where)));
		return stop->status;
	}
	return machine.life == MACHINE_HALTED ? EXIT_HALTED : EXIT_DIED;
}

/* What the image was taken for, where it begins, and the line that gives its symbols to a gdb without them. */
static void tell_image(void)
{
	const struct options *options = machine.options;
	const struct image *image = machine.image;
	char what[128], where[32], symbols[PATH_MAX + 64] = "";

	if (image->type->is_disk)
		disk_describe(machine.drives->disks, what, sizeof(what));
	else
		snprintf(what, sizeof(what), "%s, %zu bytes", image->type->name, image->size);
	if (machine.symbols)
		snprintf(symbols, sizeof(symbols), "; add-symbol-file %s -o 0x%llx", machine.symbols->path,
			 (unsigned long long)options->symbols_offset);
	message("%s: %s, begins at %s%s", image->type->is_disk ? machine.drives->disks->path : image->path, what,
		vcpu_where(&machine.vcpu, where, sizeof(where)), symbols);
}

/* Opens the endpoint, and prepares COMMAND, which is to be told when there is something to connect to. */
static void open_endpoint(const struct options *options)
{
	char endpoint[160], why[256];
	pid_t prepared;
	int result;

	machine.stub = gdbstub_new(&target_ops, &machine);
	if (!machine.stub || !sandbox_owner())
		die("no memory");
	machine.console.stub = machine.stub;
	gdbstub_set_owner(machine.stub, sandbox_owner());
	gdbstub_set_on_disconnect(machine.stub, options->on_disconnect);
	/* Nobody else will come for it. */
	gdbstub_set_created(machine.stub, options->command || !strcmp(options->gdb, "stdio"));
	snprintf(endpoint, sizeof(endpoint), "%s", options->gdb);
	if ((options->command && !options->gdb_given &&
	     command_endpoint(endpoint, sizeof(endpoint), why, sizeof(why))) ||
	    gdbstub_listen(machine.stub, endpoint, why, sizeof(why)))
		die("%s", why);
	if (gdbstub_take_socket(machine.stub)) {
		const char *path = gdbstub_endpoint(machine.stub);

		result = leftovers_add(path, false);
		if (result) {
			unlink(path);
			die("cannot listen on %s: %s", endpoint, strerror(-result));
		}
		if (options->user && leftovers_give_to(options->uid, options->gid))
			die("cannot give %s to %s: %s", path, options->user, strerror(errno));
	}
	if (gdbstub_is_public(machine.stub))
		message("warning: %s is open to other machines, and whoever connects controls the guest", endpoint);
	if (!options->command)
		return;
	prepared = command_prepare(options, gdbstub_endpoint(machine.stub), why, sizeof(why));
	if (prepared < 0)
		die("%s", why);
	command = prepared;
}

static int serve(const struct options *options)
{
	const char *endpoint = gdbstub_endpoint(machine.stub);
	struct gdbstub_stop stop;
	sigset_t all, before;
	char why[256];
	int result;

	if (options->command) {
		/* Of one that could not be started nobody hears but by this. */
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, &before);
		result = command_go(options->command[0], why, sizeof(why));
		if (result) {
			waitpid(command, NULL, 0);
			command = 0;
		}
		sigprocmask(SIG_SETMASK, &before, NULL);
		if (result) {
			message("%s", why);
			return EXIT_SETUP;
		}
	} else if (strcmp(endpoint, "stdio") && !options->no_wait) {
		message("waiting for gdb: target remote %s", endpoint);
		/* Behind that, whose place scripts know; and not where another program has the terminal. */
		if (!options->verbose)
			tell_image();
	}
	switch (gdbstub_serve(machine.stub, options->no_wait, &stop)) {
	case GDBSTUB_END_KILLED:
		return EXIT_HALTED;
	case GDBSTUB_END_DISCONNECTED:
		return EXIT_HALTED;
	default:
		return guest_status(options, &stop);
	}
}

/*
 * The guest has ended before COMMAND, whose exit status is the one that counts; but when this program
 * is to end, COMMAND has two seconds to see it and is then told to end, too.
 */
static int wait_for_command(void)
{
	const struct timespec grace = {.tv_sec = 2};
	sigset_t child, before;
	int status = 0;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	if (command > 0 && machine_ending() >= 0 && waitpid(command, &status, WNOHANG) != command) {
		if (sigtimedwait(&child, NULL, &grace) < 0)
			kill(command, SIGTERM);
	}
	if (command > 0)
		waitpid(command, &status, 0);
	command = 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return machine_ending() >= 0 ? machine_ending() : command_status(status);
}

static int write_screenshot(const struct sealed_file *file, const char *path, char *why, size_t size)
{
	int fd = openat(file->directory, file->name, SCREENSHOT_FLAGS, 0666);

	return screenshot_write(&machine, fd < 0 ? -errno : fd, path, why, size);
}

int main(int argc, char **argv)
{
	struct options options;
	struct symbols symbols;
	struct drives drives;
	struct image image;
	char why[KEYS_WHY];
	struct sealed_file screenshot = {.directory = -1};
	struct gdbstub_stop stop = {0};
	struct gdbstub *stub;
	int status;
	bool with_gdb;

	options_parse(&options, argc, argv);
	with_gdb = strcmp(options.gdb, "none") != 0;
	if (image_open(&image, &options, why, sizeof(why)))
		die("%s", why);
	if (options.symbols) {
		if (symbols_open(&symbols, options.symbols, options.symbols_offset, why, sizeof(why)))
			die("%s", why);
		machine.symbols = &symbols;
	} else if (image.type->has_symbols) {
		/* A pipe cannot be read again: then there are none. */
		if (!symbols_open(&symbols, image.path, options.symbols_offset, why, sizeof(why)))
			machine.symbols = &symbols;
		else if (options.verbose)
			message("no symbols: %s", why);
	}
	if (drives_open(&drives, &options, &image, why, sizeof(why)))
		die("%s", why);
	machine.drives = &drives;
	if (options.keys && typist_begin(&machine, options.keys, why, sizeof(why)))
		die("--keys: %s", why);
	atexit(leftovers_remove);
	if (serial_open(&machine.serial, options.serial, why, sizeof(why)))
		die("%s", why);
	machine.options = &options;
	machine.arch = options.arch;
	machine.trace = options.trace;
	machine.image = &image;
	/* With stdio the standard output is gdb's, and with --screen it is the guest's screen. */
	if (console_open(&machine.console, options.console,
			 strcmp(options.gdb, "stdio") && !options.screen ? STDOUT_FILENO : STDERR_FILENO, why,
			 sizeof(why)) ||
	    vm_open_device(why, sizeof(why)) ||
	    (options.screenshots && sandbox_open_screenshots(options.screenshots, why, sizeof(why))))
		die("%s", why);
	status = options.screenshot ? sealed_file_open(&screenshot, options.screenshot) : 0;
	if (status)
		die("--screenshot: cannot write %s: %s", options.screenshot, strerror(-status));
	catch_signals(&options);
	if (with_gdb)
		open_endpoint(&options);
	resident_drop_loader();
	/* What the image and the guest are made of is not looked into before. */
	if (sandbox_enter(&options, command, options.screenshot ? &screenshot : NULL, why, sizeof(why)) ||
	    machine_create(&machine, why, sizeof(why)))
		die("%s", why);
	/* With a client it is told so. */
	status = with_gdb && !options.no_wait ? 0 : vcpu_need_features(&machine.vcpu);
	if (status)
		die(VCPU_NO_FEATURES, strerror(-status));
	if (options.screenshot && !machine.is_pc)
		die("--screenshot: a bare machine has no screen; --machine=pc has");
	if (options.verbose)
		tell_image();
	if (image.type->tell)
		image.type->tell(&machine, &image);
	if (options.keys && !machine.is_pc)
		die("--keys: this machine has no keyboard");
	input_open(&machine, &options);
	alarm(options.timeout);
	if (!with_gdb) {
		machine_run(&machine, GDBSTUB_CONTINUE, &stop);
		status = guest_status(&options, &stop);
	} else {
		status = serve(&options);
		stub = machine.stub;
		machine.stub = NULL;
		gdbstub_free(stub);
		/* Nobody is served any more, however long COMMAND goes on. */
		leftovers_remove();
		if (command > 0)
			status = wait_for_command();
	}
	screen_end(&machine);
	if (options.screenshot && write_screenshot(&screenshot, options.screenshot, why, sizeof(why))) {
		message("%s", why);
		status = status == EXIT_HALTED ? EXIT_SETUP : status;
	}
	serial_close(&machine.serial);
	machine_destroy(&machine);
	points_free(&machine.points);
	guard_free(&machine.guard);
	console_close(&machine.console);
	if (machine.symbols)
		symbols_close(&symbols);
	drives_close(&drives);
	image_close(&image);
	options_free(&options);
	return status;
}
