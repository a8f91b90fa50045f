/* SPDX-License-Identifier: GPL-2.0 */
/* An image in words: as a JSON object, and that as text for people. */

#ifndef OBD_DESCRIBE_H
#define OBD_DESCRIBE_H

#include "image.h"

struct json_object;

int describe_image(const struct image *image, struct json_object **object);
void describe_print(struct json_object *object);

#endif /* OBD_DESCRIBE_H */
