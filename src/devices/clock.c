#define _GNU_SOURCE
#include "devices/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "devices/devices.h"
#include "input.h"
#include "irq.h"
#include "machine.h"

/* How far the guest may be ahead with clock.real. */
#define PACE (5 * CLOCK_MILLISECOND)
/* One that is behind by no more makes up for it: who calls the BIOS all the time is behind at each look, by a little. */
#define LAG_MAX (100 * CLOCK_MILLISECOND)

/* A signal handler has no other way to them. */
static timer_t timer;
static bool created;
static volatile sig_atomic_t armed;
static volatile sig_atomic_t kicked;
static struct vcpu *volatile running; /* NULL: the guest does not run */

static uint64_t host_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * CLOCK_SECOND + (uint64_t)now.tv_nsec;
}

static uint64_t cpu_used(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * CLOCK_SECOND + (uint64_t)used.tv_nsec;
}

void clock_reset(struct machine *machine)
{
	struct clock *clock = &machine->clock;

	*clock = (struct clock){.next = CLOCK_NEVER, .real = clock->real, .host = host_now(), .used = cpu_used()};
}

void clock_plan(struct machine *machine)
{
	machine->clock.next = devices_next(machine);
}

/* Until the host's clock is where the guest may be at `then`. Returns how far the guest has come, if less. */
static uint64_t sleep_until(struct machine *machine, uint64_t then)
{
	struct clock *clock = &machine->clock;
	uint64_t host = host_now(), wanted = clock->host + then;
	struct vcpu *was_running = running;
	struct pollfd fds[INPUT_MAX];
	struct timespec left;
	sigset_t all, before, during;

	/* A guest that was stopped, or is slow, does not hurry afterwards. */
	if (!clock->real)
		wanted -= CLOCK_AHEAD_MAX;
	else if (host > wanted + LAG_MAX)
		clock->host = host - then;
	if (host >= wanted)
		return then;
	left.tv_sec = (time_t)((wanted - host) / CLOCK_SECOND);
	left.tv_nsec = (long)((wanted - host) % CLOCK_SECOND);
	/* There is no need for kicks meanwhile, and one from somebody else is not to be missed before the sleep. */
	clock_stop();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	during = before;
	if (machine->vcpu.signal)
		sigdelset(&during, machine->vcpu.signal);
	if (!machine->vcpu.kicked)
		ppoll(fds, input_fds(machine, fds), &left, &during);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (was_running)
		clock_run(machine);
	input_look(machine);
	host = host_now();
	return host >= wanted ? then : wanted - host < then - clock->now ? then - (wanted - host) : clock->now;
}

/* A guest that polls is not to be ahead of the host's time, either. */
static void pace(struct machine *machine)
{
	struct clock *clock = &machine->clock;

	clock->paced = clock->now;
	if (running)
		sleep_until(machine, clock->now);
}

static void go_on(struct machine *machine, uint64_t nanoseconds)
{
	struct clock *clock = &machine->clock;

	clock->now += nanoseconds;
	if (clock->real && clock->now >= clock->paced + PACE)
		pace(machine);
	if (clock->now < clock->next)
		return;
	devices_update(machine);
	clock_plan(machine);
}

void clock_advance(struct machine *machine, uint64_t nanoseconds)
{
	machine->clock.advances++;
	go_on(machine, nanoseconds);
}

bool clock_wait(struct machine *machine)
{
	struct clock *clock = &machine->clock;

	/* Who waits may do so for long without a sleep. */
	vcpu_pass_round(&machine->vcpu);
	clock_plan(machine);
	clock->credit = 0;
	if (clock->next == CLOCK_NEVER)
		return false;
	if (clock->next > clock->now) {
		if (clock->real || clock->next > host_now() - clock->host + CLOCK_AHEAD_MAX)
			clock->now = sleep_until(machine, clock->next);
		else
			clock->now = clock->next;
	}
	clock_advance(machine, 0);
	return true;
}

static void on_tick(int number)
{
	struct vcpu *vcpu = running;

	(void)number;
	if (vcpu) {
		kicked = 1;
		vcpu_kick(vcpu);
	} else {
		timer_settime(timer, 0, &(struct itimerspec){0}, NULL);
		armed = 0;
	}
}

static bool create(void)
{
	struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM};

	sigemptyset(&action.sa_mask);
	sigaction(SIGVTALRM, &action, NULL);
	created = !timer_create(CLOCK_MONOTONIC, &event, &timer);
	return created;
}

void clock_run(struct machine *machine)
{
	static const struct itimerspec each = {.it_interval.tv_nsec = CLOCK_KICK,
					       .it_value.tv_nsec = CLOCK_KICK};

	running = &machine->vcpu;
	/* It goes on over short stops, of which there may be many. */
	if (armed || (!created && !create()))
		return;
	armed = 1;
	timer_settime(timer, 0, &each, NULL);
}

void clock_stop(void)
{
	running = NULL;
}

bool clock_was_kicked(void)
{
	if (!kicked)
		return false;
	kicked = 0;
	return true;
}

void clock_kick(struct machine *machine)
{
	struct clock *clock = &machine->clock;
	uint64_t used = cpu_used(), passed = used - clock->used;
	bool is_busy;

	if (passed > CLOCK_KICK || clock->real)
		passed = CLOCK_KICK;
	is_busy = clock->advances * CLOCK_KICK >= CLOCK_BUSY * passed && !clock->real;
	clock->advances = 0;
	clock->used = used;
	input_look(machine);
	if (!is_busy)
		clock->credit += passed;
}

void clock_spend(struct machine *machine)
{
	struct clock *clock = &machine->clock;

	/* A guest that has taken none from one kick to the next is not going to. */
	while (clock->credit > (irq_is_asked(machine) || rtc_would_lose(machine) ? CLOCK_KICK : 0)) {
		uint64_t step = clock->next > clock->now ? clock->next - clock->now : 0;

		if (step > clock->credit)
			step = clock->credit;
		clock->credit -= step;
		go_on(machine, step);
		if (!step)
			break;
	}
}
