/* The functions of INT 10h that have files of their own. */
#ifndef INT10_H
#define INT10_H

#include "bios/bios.h"

enum bios_result int10_cga_colours(struct bios_call *call); /* AH=0Bh */
enum bios_result int10_colours(struct bios_call *call);	    /* AH=10h */
enum bios_result int10_fonts(struct bios_call *call);	    /* AH=11h */
enum bios_result int10_options(struct bios_call *call);	    /* AH=12h */
enum bios_result int10_combination(struct bios_call *call); /* AH=1Ah */
enum bios_result int10_state(struct bios_call *call);	    /* AH=1Bh */

#endif
