/* A first accepted token: set up, preview, enter, show, and the same after a loss of power. */

#include <stdio.h>
#include <string.h>

#include "sts.h"

/* Two areas of flash, here of RAM. */
static uint8_t areas[2][1024];

static int flash_read(void *context, uint8_t area, uint32_t offset, uint8_t *bytes) {
    (void)context;
    memcpy(bytes, &areas[area][offset], 8);
    return 0;
}

static int flash_write(void *context, uint8_t area, uint32_t offset, const uint8_t *bytes) {
    (void)context;
    memcpy(&areas[area][offset], bytes, 8);
    return 0;
}

static int flash_erase(void *context, uint8_t area) {
    (void)context;
    memset(areas[area], 0xFF, sizeof areas[area]);
    return 0;
}

static const sts_storage storage = {NULL, flash_read, flash_write, flash_erase, 1024};

/* What this family of meters shows. Constant data: it can stay in flash. */
static const sts_display_rule display[] = {
    {1u << STS_RESULT_ACCEPT, 0, "ACCEPT"},
    {1u << STS_RESULT_USED_ERROR, 0, "USED"},
    {1u << STS_RESULT_CRC_ERROR | 1u << STS_RESULT_LENGTH_ERROR, 0, "017"},
};
static const uint32_t lockout_s[] = {60, 600};
static const sts_profile profile = {
    0x7FFFF,                                /* tests 0 to 18 */
    0,                                      /* registers hold all 64 bits */
    lockout_s, display,
    600,                                    /* seconds for the next section of a key change */
    sizeof display / sizeof display[0],
    0,                                      /* no further class 2 functions */
    STS_FRAMING_STS20,
    0xFF,                                   /* all credit */
    0x1C,                                   /* key changes of 2, 3 and 4 tokens */
    0,                                      /* in any order */
    1,                                      /* the key expiry number counts */
    5,                                      /* wrong entries that lock */
    sizeof lockout_s / sizeof lockout_s[0],
};

/* 0: the meter answered. */
static int enter(sts_meter *meter, sts_store *store, const char *digits, uint64_t now_s) {
    sts_answer answer;
    char text[32];
    sts_status status =
        sts_meter_enter_saved(meter, store, digits, strlen(digits), now_s, &answer);
    if (status == STS_STATUS_OK) {
        status = sts_meter_display(meter, answer.result, now_s, text, sizeof text, NULL);
    }
    if (status != STS_STATUS_OK) {
        printf("status %d\n", status);
        return 1;
    }
    printf("%s: shows %s, register number %d", digits, text, answer.register_number);
    if (answer.outcome == STS_OUTCOME_CREDITED) {
        printf(", register %u now holds %lu", (unsigned)answer.found, (unsigned long)answer.value);
    }
    printf("\n");
    return 0;
}

int main(void) {
    /* A published test key, and a token of the published list: 25.6 kWh. */
    static const uint8_t vending_key[20] = {0xAB, 0xAB, 0xAB, 0xAB, 0xAB, 0xAB, 0xAB,
                                            0xAB, 0x94, 0x94, 0x94, 0x94, 0x94, 0x94,
                                            0x94, 0x94, 0x01, 0x23, 0x45, 0x67};
    static const sts_key_request request = {"600727000000000009", 201457, 2014, 11, 1, 1, 2};
    static const sts_meter_setup setup = {201457, 0, 0, 2, 11, 1, 1, 2, 255};
    static sts_meter meter;
    static sts_store store;
    uint8_t key[16];
    size_t length;

    flash_erase(NULL, 0);
    flash_erase(NULL, 1);

    /* At the maker: the key is derived and put in, and the first state saved. */
    if (sts_derive_dkga04(vending_key, sizeof vending_key, &request, key, sizeof key, &length) ||
        sts_meter_init(&meter, &profile, &setup, key, length) ||
        sts_store_open(&store, &storage) != STS_STATUS_EMPTY ||
        sts_store_format(&store, &meter)) {
        return 1;
    }

    /* At the customer's. */
    if (enter(&meter, &store, "2364 1553 6653 9815 4702", 0) ||
        enter(&meter, &store, "2364 1553 6653 9815 4703", 1)) {
        return 1;
    }

    /* Power fails, and comes back: the token was used. */
    memset(&meter, 0, sizeof meter);
    memset(&store, 0, sizeof store);
    if (sts_store_open(&store, &storage) || sts_meter_restore(&meter, &store, &profile, 0, 2)) {
        return 1;
    }
    return enter(&meter, &store, "2364 1553 6653 9815 4702", 2);
}
