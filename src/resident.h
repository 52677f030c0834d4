/* What of the program's files is in memory. */
#ifndef RESIDENT_H
#define RESIDENT_H

/*
 * Gives back the pages of the dynamic loader, which has done its work when main() begins, and those of the symbol tables
 * that it alone has looked at. They can be read again; but a debugger of kvmgdb itself loses its breakpoints there.
 */
void resident_drop_loader(void);
/*
 * The same for libraries, of which the start needs more than what comes behind it. Each page is read again where it is
 * used.
 */
void resident_drop_libraries(void);

#endif
