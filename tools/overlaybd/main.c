// SPDX-License-Identifier: GPL-2.0
/* overlaybd: make OverlayBD images and look into them. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "message.h"
#include "units.h"
#include "verbs.h"

#ifndef OBD_VERSION
#error "the Makefile defines OBD_VERSION"
#endif

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
};

static const struct verb verbs[] = {
	{ "create", verb_create, "raw image, device or pipe -> layer" },
	{ "commit", verb_commit, "difference of two raw images or devices -> layer" },
	{ "convert", verb_convert, "any form of an image -> any other; recompress" },
	{ "merge", verb_merge, "several layers -> one layer" },
	{ "extract", verb_extract, "image -> raw file or device" },
	{ "info", verb_info, "what an image is made of" },
	{ "check", verb_check, "is an image sound? reads and verifies all of it" },
	{ "map", verb_map, "segments of the merged view" },
	{ "diff", verb_diff, "where two images differ" },
	{ "table", verb_table, "device-mapper table lines of an image" },
	{ "open", verb_open, "make a block device of an image" },
	{ "close", verb_close, "remove that device" },
	{ "status", verb_status, "how such devices are doing" },
};

#define VERB_COUNT	(sizeof(verbs) / sizeof(*verbs))

static void print_help(void)
{
	size_t i;

	printf("Usage: overlaybd [-q|-v] VERB [OPTION...] [ARGUMENT...]\n"
	       "       overlaybd VERB --help\n\nVerbs:\n");
	for (i = 0; i < VERB_COUNT; i++)
		printf("  %-10s %s\n", verbs[i].name, verbs[i].summary);
	printf("\nOptions:\n"
	       "  -V, --version          print the version\n"
	       COMMON_HELP
	       "\nIMAGE is one or more layers from the lowest to the topmost (files, tar blobs\n"
	       "or block devices), or a config.v1.json that lists them. FILE,BYTES[@START] is\n"
	       "a layer of BYTES bytes in a larger file or device, from sector START on.\n"
	       "Exit status: 0 fine, 1 usage or environment, 2 image corrupt or refused,\n"
	       "3 I/O error.\n");
}

/**
 * common_option() - take an option that every verb has
 * @letter: what getopt_long() returned
 * @help: the verb's help
 *
 * Return: 0, OPTION_HELPED, or STATUS_USAGE for an option nobody has.
 */
int common_option(int letter, const char *help)
{
	switch (letter) {
	case 'h':
		fputs(help, stdout);
		return OPTION_HELPED;
	case 'q':
		message_quiet();
		return 0;
	case 'v':
		message_louder();
		return 0;
	}
	/* getopt_long() has said what is wrong. */
	return fail(STATUS_USAGE, "see --help");
}

/* Turn what an option parser returned into what the verb returns. */
int option_result(int r)
{
	return r == OPTION_HELPED ? finish_stdout() : r;
}

/* Read a number from @low to @high. Return: 0 or STATUS_USAGE. */
int parse_count(const char *text, unsigned int low, unsigned int high,
		unsigned int *value)
{
	u64 number = 0;
	int r = parse_number(text, low, high, &number);

	*value = number;
	return r;
}

/* Check how many arguments are left behind the options. */
int need_operands(int argc, int at_least, int at_most, const char *what)
{
	int count = argc - optind;

	if (count >= at_least && count <= at_most)
		return 0;
	return fail(STATUS_USAGE, "%s %s (see --help)",
		    count < at_least ? "missing argument: needs" : "too many arguments: takes",
		    what);
}

/* How many bytes the UTF-8 character has that begins here; 0: none does. */
static size_t utf8_bytes(const unsigned char *text)
{
	unsigned char first = *text;
	size_t i, bytes = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 :
			  first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;

	for (i = 1; i < bytes; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	/* Too long a form, half of a surrogate pair, beyond the last character. */
	if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) ||
	    (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f))
		return 0;
	return bytes;
}

/* Names of files need not be UTF-8, but JSON has to. */
static void put_json(const char *text)
{
	while (*text) {
		size_t bytes = utf8_bytes((const unsigned char *)text);

		if (bytes)
			fwrite(text, 1, bytes, stdout);
		else
			printf("\\\\x%02x", (unsigned char)*text);
		text += bytes ? bytes : 1;
	}
	putchar('\n');
}

/* Print an object and give it up. Return: as finish_stdout(). */
int print_json(struct json_object *object)
{
	put_json(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
						JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	return finish_stdout();
}

/* Nothing printed is lost unnoticed. Return: 0 or STATUS_IO. */
int finish_stdout(void)
{
	if (fflush(stdout) || ferror(stdout))
		return fail_errno(STATUS_IO, "cannot write standard output");
	return 0;
}

static const struct verb *find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < VERB_COUNT; i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static int parse_global(int argc, char **argv, bool *done)
{
	static const struct option options[] = {
		COMMON_OPTIONS,
		{ "version", no_argument, NULL, 'V' },
		{ 0 }
	};
	int letter;

	*done = false;
	while ((letter = getopt_long(argc, argv, "+V" COMMON_LETTERS, options, NULL)) != -1) {
		if (letter == 'V')
			printf("overlaybd %s\n", OBD_VERSION);
		else if (letter == 'h')
			print_help();
		else if (common_option(letter, ""))
			return STATUS_USAGE;
		*done |= letter == 'V' || letter == 'h';
	}
	return *done ? finish_stdout() : 0;
}

static int run(int argc, char **argv)
{
	const struct verb *verb;
	bool done;
	int r = parse_global(argc, argv, &done);

	if (r || done)
		return r;
	if (optind == argc)
		return fail(STATUS_USAGE, "no verb given (see --help)");
	verb = find_verb(argv[optind]);
	if (!verb)
		return fail(STATUS_USAGE, "no verb '%s' (see --help)", argv[optind]);
	message_verb(verb->name);
	argc -= optind;
	argv += optind;
	optind = 0;	/* a new argv for getopt */
	return verb->run(argc, argv);
}

/*
 * Without this a file could become what messages are printed to. Each is opened
 * the wrong way round, so that using it fails as it does when it is closed.
 */
static int fill_standard_files(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return STATUS_USAGE;
	return 0;
}

int main(int argc, char **argv)
{
	int status = fill_standard_files();

	if (!status)
		status = run(argc, argv);
	/* Nothing is left to say after check -q. */
	if (status && *failure_text())
		message_error(failure_text());
	return status;
}
