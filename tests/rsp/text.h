/*
 * The notation of a transcript's lines. A line's text stands for bytes, as they are but for
 *
 *   \xHH          a byte                      \n \\ \*   newline, backslash, star
 *   \h{TEXT}      TEXT in hex                 \f{TEXT}   TEXT as a frame: $TEXT#checksum
 *   \r{N:TEXT}    TEXT, N times (C notation)
 *
 * and, in what is expected, a bare * for any bytes at all.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes, or a pattern; item ANY is the star. */
enum { ANY = -1 };

struct text {
	short *item;
	size_t len, room;
};

/* False if the notation is wrong. Without `pattern` a star is a star. */
bool text_parse(struct text *text, const char *line, bool pattern);
void text_add(struct text *text, int item);
void text_free(struct text *text);
/* Only of texts without ANY; the caller frees it. */
char *text_bytes(const struct text *text);
bool text_match(const struct text *pattern, const struct text *bytes);
/* A TAP comment: "#   LABEL: TEXT" in the notation above, cut when it is long. */
void text_print(const char *label, const struct text *text);

#endif
