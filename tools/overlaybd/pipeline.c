// SPDX-License-Identifier: GPL-2.0
/* Work on a sequence of items with several threads, see pipeline.h. */

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "pipeline.h"

/* The state of one item; of a failed one also why. */
struct slot {
	bool finished;
	int status;
	char failure[FAILURE_BYTES];
};

/**
 * struct run - a pipeline at work
 * @lock: protects everything below
 * @taken: items produced, or being produced, so far
 * @handed: items consumed so far
 * @producing: a thread is in produce()
 * @consuming: a thread is in consume()
 * @exhausted: nothing is left to produce
 * @status: of the first failure; ends everything
 */
struct run {
	const struct pipeline *pipeline;
	struct slot *slots;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned long taken;
	unsigned long handed;
	bool producing;
	bool consuming;
	bool exhausted;
	int status;
	char failure[FAILURE_BYTES];
};

struct worker {
	struct run *run;
	unsigned int number;
	pthread_t thread;
};

static struct slot *slot_of(struct run *run, unsigned long n)
{
	return &run->slots[n % run->pipeline->item_count];
}

static void *item_of(struct run *run, unsigned long n)
{
	const struct pipeline *p = run->pipeline;

	return (char *)p->items + n % p->item_count * p->item_bytes;
}

static bool can_consume(struct run *run)
{
	return !run->consuming && run->handed < run->taken &&
	       slot_of(run, run->handed)->finished;
}

static bool can_produce(struct run *run)
{
	return !run->producing && !run->exhausted &&
	       run->taken - run->handed < run->pipeline->item_count;
}

static void run_failed(struct run *run, int status, const char *why)
{
	if (run->status)
		return;
	run->status = status;
	memcpy(run->failure, why, sizeof(run->failure));
}

/* Hand on the oldest item. Called and returns with the lock held. */
static void consume_one(struct run *run)
{
	struct slot *slot = slot_of(run, run->handed);
	int r = slot->status;

	run->consuming = true;
	if (r) {
		run_failed(run, r, slot->failure);
	} else {
		pthread_mutex_unlock(&run->lock);
		r = run->pipeline->consume(run->pipeline->context,
					   item_of(run, run->handed));
		pthread_mutex_lock(&run->lock);
		if (r)
			run_failed(run, r, failure_text());
	}
	slot->finished = false;
	run->handed++;
	run->consuming = false;
	pthread_cond_broadcast(&run->changed);
}

static void finish_slot(struct slot *slot, int status)
{
	slot->status = status;
	if (status)
		memcpy(slot->failure, failure_text(), sizeof(slot->failure));
	slot->finished = true;
}

/* Take the next item and work on it. Lock as above. */
static void produce_one(struct run *run, unsigned int worker)
{
	const struct pipeline *p = run->pipeline;
	unsigned long n = run->taken;
	int r;

	run->producing = true;
	pthread_mutex_unlock(&run->lock);
	r = p->produce(p->context, item_of(run, n));
	pthread_mutex_lock(&run->lock);
	run->producing = false;
	if (r)
		run->exhausted = true;
	if (r != PIPELINE_END)
		run->taken++;
	pthread_cond_broadcast(&run->changed);
	if (r == PIPELINE_END)
		return;

	if (!r) {
		pthread_mutex_unlock(&run->lock);
		r = p->work(p->context, worker, item_of(run, n));
		pthread_mutex_lock(&run->lock);
	}
	finish_slot(slot_of(run, n), r);
	pthread_cond_broadcast(&run->changed);
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct run *run = worker->run;

	pthread_mutex_lock(&run->lock);
	while (!run->status && !(run->exhausted && run->handed == run->taken)) {
		if (can_consume(run))
			consume_one(run);
		else if (can_produce(run))
			produce_one(run, worker->number);
		else
			pthread_cond_wait(&run->changed, &run->lock);
	}
	pthread_mutex_unlock(&run->lock);
	return NULL;
}

/* As many as this process may run on. */
unsigned int pipeline_default_threads(void)
{
	cpu_set_t set;
	int count;

	if (sched_getaffinity(0, sizeof(set), &set))
		return PIPELINE_MAX_THREADS;
	count = CPU_COUNT(&set);
	return count > PIPELINE_MAX_THREADS ? PIPELINE_MAX_THREADS : count;
}

/* Enough that no thread waits while another has the oldest item. */
unsigned int pipeline_items(unsigned int threads)
{
	return 2 * threads + 1;
}

/**
 * pipeline_run() - run until nothing is left or something fails
 * @pipeline: what to do
 *
 * Threads that cannot be started are done without. Return: 0 or a status.
 */
int pipeline_run(const struct pipeline *pipeline)
{
	struct worker workers[PIPELINE_MAX_THREADS];
	struct run *run = calloc(1, sizeof(*run));
	unsigned int i, started;
	int r;

	if (run)
		run->slots = calloc(pipeline->item_count, sizeof(*run->slots));
	if (!run || !run->slots) {
		free(run);
		return fail_memory();
	}
	run->pipeline = pipeline;
	pthread_mutex_init(&run->lock, NULL);
	pthread_cond_init(&run->changed, NULL);
	for (i = 0; i < pipeline->threads; i++)
		workers[i] = (struct worker) { .run = run, .number = i };
	for (started = 1; started < pipeline->threads; started++)
		if (pthread_create(&workers[started].thread, NULL, work, &workers[started]))
			break;
	work(&workers[0]);
	for (i = 1; i < started; i++)
		pthread_join(workers[i].thread, NULL);

	r = run->status;
	if (r)
		failure_restore(run->failure);
	pthread_cond_destroy(&run->changed);
	pthread_mutex_destroy(&run->lock);
	free(run->slots);
	free(run);
	return r;
}
