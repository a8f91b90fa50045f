// SPDX-License-Identifier: GPL-2.0
/* A progress bar on a terminal, see progress.h. */

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <linux/minmax.h>

#include "message.h"
#include "progress.h"

#define BAR_WIDTH	40
#define FIRST_MS	1000
#define STEP_MS		200

static u64 total_bytes;
static u64 next_ms;
static u64 start_ms;
static bool wanted;
static bool shown;

static u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

/* Something of @total bytes begins. */
void progress_begin(u64 total)
{
	wanted = total && !message_is_quiet() && isatty(STDERR_FILENO);
	shown = false;
	total_bytes = total;
	start_ms = now_ms();
	next_ms = start_ms + FIRST_MS;
}

/* One thread at a time. */
void progress_set(u64 done)
{
	static const char full[] = "########################################";
	unsigned int bar;
	u64 now;

	if (!wanted)
		return;
	now = now_ms();
	if (now < next_ms)
		return;
	next_ms = now + STEP_MS;
	shown = true;
	done = min(done, total_bytes);
	bar = (double)done / total_bytes * BAR_WIDTH;
	fprintf(stderr, "\r[%-*.*s] %3u%% %.0f MiB/s ", BAR_WIDTH, bar, full,
		(unsigned int)((double)done / total_bytes * 100),
		done / 1048.576 / (now - start_ms));
}

/* Leave a clean line. */
void progress_end(void)
{
	if (shown)
		fprintf(stderr, "\r%*s\r", BAR_WIDTH + 30, "");
	wanted = false;
	shown = false;
}
