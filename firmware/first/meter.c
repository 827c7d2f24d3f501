/* A meter for a Cortex-M0, without a C library: it enters a token, loses power, and enters it again. */

#include "sts.h"

/* ---------------------------------------------------------------------------- the board */

/* SYS_WRITE0 and SYS_EXIT of the debugger's or the emulator's semihosting. */
static void semihost(uint32_t operation, const void *argument) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

static void say(const char *text) {
    semihost(4, text);
}

/* Two areas of 1 KiB. Here RAM stands for flash: replace the three functions by those of your part. */
static uint8_t areas[2][1024];

static int flash_read(void *context, uint8_t area, uint32_t offset, uint8_t *bytes) {
    (void)context;
    for (int at = 0; at < 8; at++) {
        bytes[at] = areas[area][offset + at];
    }
    return 0;
}

static int flash_write(void *context, uint8_t area, uint32_t offset, const uint8_t *bytes) {
    (void)context;
    for (int at = 0; at < 8; at++) {
        areas[area][offset + at] = bytes[at];
    }
    return 0;
}

static int flash_erase(void *context, uint8_t area) {
    (void)context;
    for (uint32_t at = 0; at < sizeof areas[0]; at++) {
        areas[area][at] = 0xFF;
    }
    return 0;
}

static const sts_storage storage = {0, flash_read, flash_write, flash_erase, sizeof areas[0]};

/* ---------------------------------------------------------------------------- the meter */

static sts_meter meter;
static sts_store store;

/* What the maker puts in. The key is a published test key. */
static const uint8_t key[8] = {0x87, 0xF3, 0xEC, 0xBB, 0x2E, 0x46, 0xB4, 0x8F};
static const sts_meter_setup setup = {
    201457, /* supply group code */
    0,      /* token identifier of the day it was made */
    0, 2,   /* maker's code, and its digits */
    7,      /* encryption algorithm EA07 */
    1, 1,   /* key revision, tariff index */
    2,      /* a unique key */
    255,    /* which does not expire */
};

/* When power comes: the saved state, or that of a new meter. */
static sts_status power_on(void) {
    sts_status status = sts_store_open(&store, &storage);
    if (status == STS_STATUS_EMPTY) {
        status = sts_meter_init(&meter, &sts_profile_standard, &setup, key, sizeof key);
        return status ? status : sts_store_format(&store, &meter);
    }
    return status ? status : sts_meter_restore(&meter, &store, &sts_profile_standard, 0, 2);
}

/* What a customer keys. The answer is saved before it is shown. */
static sts_result enter(const char *digits, size_t length) {
    sts_answer answer;
    char text[24];
    if (sts_meter_enter_saved(&meter, &store, digits, length, 0, &answer) ||
        sts_meter_display(&meter, answer.result, 0, text, sizeof text, 0)) {
        say("storage failed\n");
        return STS_RESULT_NONE;
    }
    say(text);
    say("\n");
    return answer.result;
}

/* The processor starts here; see link.ld. */
void reset(void) {
    static const char token[] = "0569 1672 7840 2912 8412"; /* 50.0 kWh */
    int good;
    flash_erase(0, 0); /* as the part leaves its maker */
    flash_erase(0, 1);
    good = power_on() == STS_STATUS_OK;
    good &= enter(token, sizeof token - 1) == STS_RESULT_ACCEPT;
    sts_meter_wipe(&meter); /* power fails */
    good &= power_on() == STS_STATUS_OK;
    good &= enter(token, sizeof token - 1) == STS_RESULT_USED_ERROR;
    semihost(0x18, (const void *)(good ? 0x20026u : 0x20023u));
    for (;;) {
    }
}
