// SPDX-License-Identifier: GPL-2.0
/* config.v1.json: which files are the layers of an image. */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../../drivers/md/dm-overlaybd/format.h"
#include "config.h"
#include "file.h"
#include "message.h"

/* 255 layers with long paths stay far below. */
#define CONFIG_MAX_BYTES	(4U << 20)

/**
 * config_detect() - is this an image description rather than a layer?
 * @path: a file; anything else is not
 * @is_config: set
 *
 * No layer begins with a brace. Return: 0 or a status.
 */
int config_detect(const char *path, bool *is_config)
{
	char start[64];
	struct file file;
	ssize_t n, i = 0;
	int r;

	*is_config = false;
	r = file_open(&file, path);
	if (!r && !file.is_device) {
		n = read_fully(file.fd, start, sizeof(start), 0);
		if (n < 0)
			r = fail_errno(STATUS_IO, "cannot read %s", path);
		while (i < n && isspace((unsigned char)start[i]))
			i++;
		*is_config = i < n && start[i] == '{';
	}
	file_close(&file);
	return r;
}

static int refuse(const char *path, const char *why)
{
	return fail(STATUS_REFUSED, "%s: %s", path, why);
}

static int load_text(const char *path, char **text, size_t *bytes)
{
	struct file file;
	int r = file_open(&file, path);

	*text = NULL;
	if (!r && file.bytes > CONFIG_MAX_BYTES)
		r = refuse(path, "is too large for an image description");
	if (!r) {
		*bytes = file.bytes;
		*text = malloc(*bytes + 1);
		r = *text ? file_read(&file, *text, *bytes, 0) : fail_memory();
	}
	file_close(&file);
	return r;
}

static int parse_text(const char *path, const char *text, size_t bytes,
		      struct json_object **root)
{
	struct json_tokener *tokener = json_tokener_new();
	enum json_tokener_error error;

	if (!tokener)
		return fail_memory();
	*root = json_tokener_parse_ex(tokener, text, bytes);
	error = json_tokener_get_error(tokener);
	json_tokener_free(tokener);
	if (error != json_tokener_success)
		return fail(STATUS_REFUSED, "%s: not JSON: %s", path,
			    json_tokener_error_desc(error));
	if (!json_object_is_type(*root, json_type_object))
		return refuse(path, "the description is not a JSON object");
	return 0;
}

static int parse(const char *path, struct json_object **root)
{
	size_t bytes = 0;
	char *text;
	int r;

	*root = NULL;
	r = load_text(path, &text, &bytes);
	if (!r)
		r = parse_text(path, text, bytes, root);
	free(text);
	return r;
}

/* A member that is a nonempty string; *value is NULL when it is not there. */
static int get_text(const char *path, struct json_object *object, const char *key,
		    const char **value)
{
	struct json_object *member;

	*value = NULL;
	if (!json_object_object_get_ex(object, key, &member) || !member)
		return 0;
	if (!json_object_is_type(member, json_type_string) ||
	    strlen(json_object_get_string(member)) !=
	    (size_t)json_object_get_string_len(member))
		return fail(STATUS_REFUSED, "%s: '%s' is not a text", path, key);
	if (json_object_get_string_len(member))
		*value = json_object_get_string(member);
	return 0;
}

/* Refuse an object in which one of these is set. */
static int refuse_keys(const char *path, struct json_object *object,
		       const char *const *keys, const char *why)
{
	const char *value;
	int r;

	for (; *keys; keys++) {
		r = get_text(path, object, *keys, &value);
		if (r)
			return r;
		if (value)
			return fail(STATUS_REFUSED, "%s: '%s' is set: %s", path, *keys, why);
	}
	return 0;
}

static int check_upper(const char *path, struct json_object *root)
{
	static const char *const keys[] = { "data", "index", "target", "gzipIndex", NULL };
	struct json_object *upper;

	if (!json_object_object_get_ex(root, "upper", &upper) || !upper)
		return 0;
	if (!json_object_is_type(upper, json_type_object))
		return refuse(path, "'upper' is not an object");
	return refuse_keys(path, upper, keys,
			   "a writable upper layer cannot be read; commit or seal it first");
}

/* Relative names are relative to the description, not to where we are. */
static int join(const char *config, const char *directory, const char *name, char **path)
{
	const char *slash = strrchr(config, '/');
	int prefix = slash && *(directory ? directory : name) != '/' ?
		     slash - config + 1 : 0;

	if (asprintf(path, "%.*s%s%s%s", prefix, config, directory ? directory : "",
		     directory ? "/" : "", name) < 0) {
		*path = NULL;
		return fail_memory();
	}
	return 0;
}

/* Add the file if there is one; *found says so. */
static int try_file(const char *config, const char *directory, const char *name,
		    struct place_list *layers, bool *found)
{
	struct stat st;
	char *path;
	int r = join(config, directory, name, &path);

	if (!r && !stat(path, &st)) {
		*found = true;
		r = place_list_add_path(layers, path);
	} else if (!r && errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG) {
		r = fail_errno(STATUS_USAGE, "%s: cannot look at %s", config, path);
	}
	free(path);
	return r;
}

static int resolve_lower(const char *path, struct json_object *lower, unsigned int number,
			 struct place_list *layers)
{
	static const char *const turbo[] = { "targetFile", "targetDigest", "gzipIndex", NULL };
	static const char *const names[] = {
		"overlaybd.commit", ".commit", "overlaybd.sealed", NULL
	};
	const char *file, *directory, *digest;
	const char *const *name;
	bool found = false;
	int r;

	if (!json_object_is_type(lower, json_type_object))
		return refuse(path, "an entry of 'lowers' is not an object");
	r = refuse_keys(path, lower, turbo, "turboOCI layers are not supported");
	if (!r)
		r = get_text(path, lower, "file", &file);
	if (!r)
		r = get_text(path, lower, "dir", &directory);
	if (!r)
		r = get_text(path, lower, "digest", &digest);
	if (!r && file)
		r = try_file(path, NULL, file, layers, &found);
	for (name = names; !r && !found && directory && *name; name++)
		r = try_file(path, directory, *name, layers, &found);
	if (r || found)
		return r;
	if (digest)
		return fail(STATUS_REFUSED,
			    "%s: layer %u (%s) is not here: remote layers must be downloaded first",
			    path, number, digest);
	if (directory)
		return fail(STATUS_REFUSED,
			    "%s: layer %u: no overlaybd.commit, .commit or overlaybd.sealed in %s",
			    path, number, directory);
	if (file)
		return fail(STATUS_REFUSED, "%s: layer %u: no such file: %s", path, number, file);
	return fail(STATUS_REFUSED, "%s: layer %u: neither 'file' nor 'dir' is set", path, number);
}

static int resolve(const char *path, struct json_object *root, struct place_list *layers)
{
	struct json_object *lowers, *acceleration;
	size_t count, i;
	int r;

	r = check_upper(path, root);
	if (r)
		return r;
	if (!json_object_object_get_ex(root, "lowers", &lowers) ||
	    !json_object_is_type(lowers, json_type_array))
		return refuse(path, "there is no array 'lowers'");
	count = json_object_array_length(lowers);
	/* The last lower of an accelerated image holds a trace, not data. */
	if (json_object_object_get_ex(root, "accelerationLayer", &acceleration) &&
	    json_object_get_boolean(acceleration) && count)
		count--;
	if (!count)
		return refuse(path, "the image has no layers");
	if (count > LSMT_MAX_LAYERS)
		return refuse(path, "the image has more than 255 layers");
	for (i = 0; !r && i < count; i++)
		r = resolve_lower(path, json_object_array_get_idx(lowers, i), i, layers);
	return r;
}

/**
 * config_read() - find the layers of an image
 * @path: the description
 * @layers: their files are added, lowest first
 *
 * Return: 0 or a status.
 */
int config_read(const char *path, struct place_list *layers)
{
	struct json_object *root;
	int r = parse(path, &root);

	if (!r)
		r = resolve(path, root, layers);
	json_object_put(root);
	return r;
}
