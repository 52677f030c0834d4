/* Code page 437, which a PC's screen shows. */
#ifndef CODE_PAGE_H
#define CODE_PAGE_H

#include <stddef.h>
#include <stdint.h>

#define CODE_PAGE_BYTES 4 /* of a character, at most */

/* What the screen shows for it, control characters included; the two that look blank are a space. */
uint16_t code_page_unicode(uint8_t character);
/* The same in UTF-8, without an end; returns its length. */
size_t code_page_utf8(uint8_t character, char text[CODE_PAGE_BYTES]);

#endif
