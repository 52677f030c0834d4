#ifndef MESSAGE_H
#define MESSAGE_H

/* The program's own messages: one line on standard error, "kvmgdb: " before it. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* For set-up only, before the guest starts: prints the message and exits with status 2. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
