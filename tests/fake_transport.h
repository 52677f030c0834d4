/*
 * In place of gdbstub/transport.c: clients whose bytes are all there from the beginning, so that
 * what happens depends on nothing else. The first byte says how many bytes a read gives (0: all
 * there are); after that a 0xff is the end of a client, and the next one follows; 0xfe N C stands for
 * N times 1024 bytes C, so that what is small can be too long; a read then gives KiB, not bytes.
 *
 * What is sent is looked at: every write must be well-formed, or the program aborts.
 */
#ifndef FAKE_TRANSPORT_H
#define FAKE_TRANSPORT_H

#include "internal.h"

void fake_transport_start(const uint8_t *data, size_t size);

#endif
