/* SPDX-License-Identifier: GPL-2.0 */
/* The verbs, and the options they have in common. */

#ifndef OBD_VERBS_H
#define OBD_VERBS_H

#include <getopt.h>
#include <stdbool.h>

struct json_object;

int verb_check(int argc, char **argv);
int verb_create(int argc, char **argv);
int verb_close(int argc, char **argv);
int verb_commit(int argc, char **argv);
int verb_convert(int argc, char **argv);
int verb_diff(int argc, char **argv);
int verb_extract(int argc, char **argv);
int verb_info(int argc, char **argv);
int verb_map(int argc, char **argv);
int verb_merge(int argc, char **argv);
int verb_open(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_table(int argc, char **argv);

/* Long options without a letter; the ranges of the tables do not meet. */
enum {
	OPTION_COMMON = 256,
	OPTION_LAYER = 288,
	OPTION_VERB = 320,
};

#define COMMON_LETTERS	"hqv"
#define COMMON_OPTIONS \
	{ "help", no_argument, NULL, 'h' }, \
	{ "quiet", no_argument, NULL, 'q' }, \
	{ "verbose", no_argument, NULL, 'v' }

#define COMMON_HELP \
	"  -q, --quiet            no warnings, no progress\n" \
	"  -v, --verbose          say more\n" \
	"  -h, --help             this text\n"

/* What an option parser returns when help was printed: not a failure. */
#define OPTION_HELPED	(-1)

int common_option(int letter, const char *help);
int option_result(int r);
int parse_count(const char *text, unsigned int low, unsigned int high,
		unsigned int *value);
int need_operands(int argc, int at_least, int at_most, const char *what);
int print_json(struct json_object *object);
int finish_stdout(void);

#endif /* OBD_VERBS_H */
