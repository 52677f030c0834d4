/* What an ATA device says of itself (ATA/ATAPI-6, 8.15 and 8.16). */
#include <stdio.h>
#include <string.h>

#include "devices/ide.h"

#define SERIAL 10
#define SERIAL_WORDS 10
#define FIRMWARE 23
#define FIRMWARE_WORDS 4
#define MODEL 27
#define MODEL_WORDS 20

static void put(uint8_t *data, unsigned int word, uint32_t value)
{
	data[2 * word] = (uint8_t)value;
	data[2 * word + 1] = (uint8_t)(value >> 8);
}

static void put_long(uint8_t *data, unsigned int word, uint64_t value)
{
	put(data, word, (uint32_t)value & 0xffff);
	put(data, word + 1, (uint32_t)(value >> 16) & 0xffff);
}

/* Padded with blanks, and the first character of each word is its high byte. */
static void put_text(uint8_t *data, unsigned int word, unsigned int words, const char *text)
{
	size_t len = strlen(text);

	for (unsigned int i = 0; i < 2 * words; i++)
		data[(2 * word + i) ^ 1] = i < len ? (uint8_t)text[i] : ' ';
}

static void put_names(const struct ide_device *device, uint8_t *data, const char *model)
{
	char serial[2 * SERIAL_WORDS + 1];

	snprintf(serial, sizeof(serial), "KVMGDB%02X", device->drive.number);
	put_text(data, SERIAL, SERIAL_WORDS, serial);
	put_text(data, FIRMWARE, FIRMWARE_WORDS, "1.0");
	put_text(data, MODEL, MODEL_WORDS, model);
	put(data, 49, 0x0200); /* LBA */
	put(data, 51, 0x0200); /* PIO mode 2 and more */
	put(data, 53, 0x0003); /* words 54 to 58 and 64 to 70 are there */
	put(data, 64, 0x0003); /* PIO modes 3 and 4 */
	put(data, 67, 120);    /* ns of a cycle */
	put(data, 68, 120);
	put(data, 80, 0x007e); /* ATA-1 to ATA/ATAPI-6 */
}

static void identify_disk(const struct ide_device *device, uint8_t *data)
{
	const struct geometry *geometry = &device->drive.geometry;
	bool own = geometry->heads <= 16;
	uint32_t heads = own ? geometry->heads : 16, sectors = own ? geometry->sectors : 63, cylinders;
	uint64_t all = device->drive.sectors, chs;

	cylinders = all / heads / sectors > 16383 ? 16383 : (uint32_t)(all / heads / sectors);
	put(data, 0, 0x0040); /* a disk that stays */
	put(data, 1, cylinders);
	put(data, 3, heads);
	put(data, 6, sectors);
	put(data, 47, 0x8000 | IDE_BLOCK_MAX);
	put(data, 48, 1); /* accesses of 32 bits */
	if (device->heads) {
		heads = device->heads;
		sectors = device->sectors;
		cylinders = all / heads / sectors > 65535 ? 65535 : (uint32_t)(all / heads / sectors);
	}
	chs = (uint64_t)cylinders * heads * sectors;
	put(data, 54, cylinders);
	put(data, 55, heads);
	put(data, 56, sectors);
	put_long(data, 57, chs);
	put(data, 59, device->multiple ? 0x0100u | device->multiple : 0);
	put_long(data, 60, all > 0x0fffffff ? 0x0fffffff : all);
	put(data, 82, 0x0020); /* a cache for writes */
	put(data, 83, 0x7400); /* block numbers of 48 bits, FLUSH CACHE and FLUSH CACHE EXT */
	put(data, 84, 0x4000);
	put(data, 85, 0x0020);
	put(data, 86, 0x3400);
	put(data, 87, 0x4000);
	put_long(data, 100, all);
	put_long(data, 102, all >> 32);
}

void ide_identify(const struct ide_device *device, uint8_t data[SECTOR_SIZE])
{
	memset(data, 0, SECTOR_SIZE);
	if (device->drive.kind == DISK_CD) {
		put_names(device, data, "KVMGDB CD");
		put(data, 0, 0x85c0); /* a CD that can be removed, with packets of 12 bytes */
	} else {
		put_names(device, data, "KVMGDB DISK");
		identify_disk(device, data);
	}
}
