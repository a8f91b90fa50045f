// SPDX-License-Identifier: GPL-2.0
/* Run a fuzz target once on each file named; libFuzzer is not needed. */

#include <sys/stat.h>

#include "fuzz.h"

static void replay(const char *path)
{
	struct stat st;
	FILE *file = fopen(path, "rb");
	u8 *data;

	if (!file || fstat(fileno(file), &st)) {
		perror(path);
		exit(1);
	}
	/* Exactly as long as the file: what reads behind it is seen. */
	data = must_alloc(st.st_size ? st.st_size : 1);
	if (fread(data, 1, st.st_size, file) != (size_t)st.st_size) {
		perror(path);
		exit(1);
	}
	fclose(file);
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(data, st.st_size);
	free(data);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	return 0;
}
