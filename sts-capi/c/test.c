/* The vectors of this project and the edges of the interface, in C99 and in C++. */

#include <stdio.h>
#include <string.h>

#include "mangaung.h"
#include "vectors.h"
#include "vectors_data.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static unsigned long checks, failures;

static int check(int holds, const char *id, const char *what, int line) {
    checks++;
    if (!holds) {
        failures++;
        printf("line %d: %s: %s\n", line, id, what);
    }
    return holds;
}

#define CHECK(id, condition) check((condition) ? 1 : 0, id, #condition, __LINE__)

/* ------------------------------------------------------------------------------- the storage */

struct flash {
    uint8_t areas[2][1024];
    long writes_left; /* until it fails; below 0: never */
};

static int flash_read(void *context, uint8_t area, uint32_t offset, uint8_t *bytes) {
    struct flash *flash = (struct flash *)context;
    memcpy(bytes, &flash->areas[area][offset], 8);
    return 0;
}

static int flash_write(void *context, uint8_t area, uint32_t offset, const uint8_t *bytes) {
    struct flash *flash = (struct flash *)context;
    if (flash->writes_left == 0) {
        return -1;
    }
    flash->writes_left--;
    memcpy(&flash->areas[area][offset], bytes, 8);
    return 0;
}

static int flash_erase(void *context, uint8_t area) {
    struct flash *flash = (struct flash *)context;
    memset(flash->areas[area], 0xFF, sizeof flash->areas[area]);
    return 0;
}

static sts_storage storage_of(struct flash *flash) {
    sts_storage storage;
    storage.context = flash;
    storage.read = flash_read;
    storage.write = flash_write;
    storage.erase = flash_erase;
    storage.area_size = sizeof flash->areas[0];
    memset(flash->areas, 0xFF, sizeof flash->areas);
    flash->writes_left = -1;
    return storage;
}

/* ------------------------------------------------------------------------------- the vectors */

static sts_status derive(const struct key_vector *vector, uint8_t key[16], size_t *length) {
    sts_key_request request;
    request.pan = vector->pan;
    request.sgc = vector->sgc;
    request.base_year = vector->base_year;
    request.ea = vector->ea;
    request.krn = vector->krn;
    request.ti = vector->ti;
    request.kt = vector->kt;
    return vector->dkga == 2 ? sts_derive_dkga02(vector->vending_key, vector->vending_key_length,
                                                 &request, key, 16, length)
                             : sts_derive_dkga04(vector->vending_key, vector->vending_key_length,
                                                 &request, key, 16, length);
}

static void check_key(const char *id, const struct key_vector *vector) {
    uint8_t key[16];
    size_t length = 0;
    CHECK(id, derive(vector, key, &length) == STS_STATUS_OK);
    CHECK(id, length == vector->key_length && memcmp(key, vector->key, length) == 0);
}

static sts_meter_setup setup_of(const struct key_vector *vector) {
    sts_meter_setup setup;
    setup.sgc = vector->sgc;
    setup.tid_floor = 0;
    setup.manufacturer_code = 0;
    setup.manufacturer_digits = 2;
    setup.ea = vector->ea;
    setup.krn = vector->krn;
    setup.ti = vector->ti;
    setup.kt = vector->kt;
    setup.ken = 255;
    return setup;
}

static void check_token(const struct token_vector *vector) {
    sts_token token;
    sts_answer answer;
    check_key(vector->id, &vector->key);
    CHECK(vector->id, sts_open(vector->token, strlen(vector->token), vector->key.ea,
                               vector->key.key, vector->key.key_length, &token,
                               &answer) == STS_STATUS_OK);
    CHECK(vector->id, answer.result == STS_RESULT_NONE && answer.reason == STS_REASON_NONE);
    CHECK(vector->id, vector->block == 0 || token.block == vector->block);
    CHECK(vector->id, token.tid == vector->tid);
    CHECK(vector->id, token.token_class == vector->token_class);
    CHECK(vector->id, token.subclass == vector->subclass);
    CHECK(vector->id, token.rnd == vector->rnd);
    CHECK(vector->id, token.amount == vector->amount);
    CHECK(vector->id, token.amount_clipped == vector->amount_clipped);
    CHECK(vector->id, token.field == vector->field);
}

static void check_test(const struct test_vector *vector) {
    sts_token token;
    sts_answer answer;
    CHECK(vector->id, sts_open(vector->token, strlen(vector->token), 0, NULL, 0, &token,
                               &answer) == STS_STATUS_OK);
    CHECK(vector->id, answer.reason == STS_REASON_NONE);
    CHECK(vector->id, token.token_class == 1 && token.subclass == vector->subclass);
    CHECK(vector->id, token.control == vector->control);
    CHECK(vector->id, token.manufacturer_code == vector->manufacturer_code);
    CHECK(vector->id, token.tid == STS_NO_TID);
}

/* The set is entered forwards into one meter and backwards into another. */
static void check_change(const struct change_vector *vector) {
    static const uint8_t section_results[] = {STS_RESULT_FIRST_KCT, STS_RESULT_SECOND_KCT,
                                              STS_RESULT_THIRD_KCT, STS_RESULT_FOURTH_KCT};
    int backwards;
    check_key(vector->id, &vector->before);
    check_key(vector->id, &vector->after);
    for (backwards = 0; backwards < 2; backwards++) {
        sts_meter meter;
        sts_store store;
        struct flash flash;
        sts_storage storage = storage_of(&flash);
        sts_meter_setup setup = setup_of(&vector->before);
        sts_meter_key_info held;
        sts_answer answer;
        size_t step, byte;
        CHECK(vector->id, sts_meter_init(&meter, NULL, &setup, vector->before.key,
                                         vector->before.key_length) == STS_STATUS_OK);
        for (step = 0; step < vector->count; step++) {
            size_t place = backwards ? vector->count - 1 - step : step;
            const char *digits = vector->tokens[place];
            CHECK(vector->id, sts_meter_enter(&meter, digits, strlen(digits), 0, &answer) ==
                                  STS_STATUS_OK);
            if (step + 1 < vector->count) {
                CHECK(vector->id, answer.result == section_results[place]);
                CHECK(vector->id, answer.outcome == STS_OUTCOME_SECTION_STORED);
                CHECK(vector->id, answer.found == place + 1);
            }
        }
        CHECK(vector->id, answer.result == STS_RESULT_ACCEPT);
        CHECK(vector->id, answer.outcome == STS_OUTCOME_KEY_CHANGED);
        CHECK(vector->id, answer.value == vector->rollover);
        CHECK(vector->id, sts_meter_key(&meter, 0, &held) == STS_STATUS_OK);
        CHECK(vector->id, held.krn == vector->after.krn && held.ti == vector->after.ti);
        CHECK(vector->id, held.kt == vector->after.kt && held.ken == vector->ken);
        CHECK(vector->id, held.ea == vector->after.ea && held.sections == 0);
        CHECK(vector->id,
              held.sgc == (vector->count == 2 ? vector->before.sgc : vector->after.sgc));
        /* The new key, from the saved state: words 1 and 2, after the head and word 0. */
        CHECK(vector->id, sts_store_open(&store, &storage) == STS_STATUS_EMPTY);
        CHECK(vector->id, sts_store_format(&store, &meter) == STS_STATUS_OK);
        for (byte = 0; byte < vector->after.key_length; byte++) {
            size_t offset = 16 + (byte & 8) + (7 - (byte & 7));
            CHECK(vector->id, flash.areas[0][offset] == vector->after.key[byte]);
        }
    }
}

static void check_result(const char *id, const sts_answer *answer, const char *expected) {
    char name[24];
    size_t length = 0;
    CHECK(id, sts_result_name(answer->result, name, sizeof name, &length) == STS_STATUS_OK);
    if (!CHECK(id, length == strlen(name) && strcmp(name, expected) == 0)) {
        printf("  %s where %s is expected\n", name, expected);
    }
    CHECK(id, answer->register_number == (answer->result <= 16 ? answer->result : 0));
}

static int same_answer(const sts_answer *a, const sts_answer *b) {
    return a->value == b->value && a->found == b->found && a->expected == b->expected &&
           a->tid == b->tid && a->result == b->result && a->reason == b->reason &&
           a->outcome == b->outcome && a->failed_checks == b->failed_checks;
}

/* A credit names its register and what that now holds; nothing else writes to one but a clearing. */
static void check_registers(const char *id, sts_meter *meter, const sts_registers *before,
                            const sts_answer *answer) {
    sts_registers after, expected = *before;
    CHECK(id, sts_meter_read_registers(meter, &after) == STS_STATUS_OK);
    if (answer->outcome == STS_OUTCOME_CREDITED) {
        if (CHECK(id, answer->found < 4 && answer->found == answer->subclass)) {
            expected.units[answer->found] = answer->value;
        }
    } else if (answer->outcome == STS_OUTCOME_CURRENCY_CREDITED) {
        if (CHECK(id, answer->found >= 4 && answer->found == answer->subclass)) {
            expected.currency[answer->found - 4] = (int64_t)answer->value;
        }
    } else if (answer->token_class == 2 && answer->subclass == 1) {
        return;
    }
    CHECK(id, memcmp(&after, &expected, sizeof after) == 0);
}

static void check_entry(const struct entry_vector *vector) {
    sts_meter meter;
    sts_profile profile = sts_profile_standard;
    sts_meter_setup setup = setup_of(&vector->key);
    sts_registers registers, after;
    sts_answer preview, answer;
    size_t place;
    check_key(vector->id, &vector->key);
    profile.resources = vector->resources;
    setup.krn = vector->krn;
    setup.kt = vector->kt;
    setup.ken = vector->ken;
    setup.tid_floor = vector->tid_floor;
    setup.manufacturer_code = vector->manufacturer_code;
    setup.manufacturer_digits = 4;
    CHECK(vector->id, sts_meter_init(&meter, &profile, &setup, vector->key.key,
                                     vector->key.key_length) == STS_STATUS_OK);
    for (place = 0; place < vector->tid_count; place++) {
        CHECK(vector->id, sts_meter_remember(&meter, vector->tids[place]) == STS_STATUS_OK);
    }
    memcpy(registers.units, vector->units, sizeof registers.units);
    memcpy(registers.currency, vector->currency, sizeof registers.currency);
    CHECK(vector->id, sts_meter_write_registers(&meter, &registers) == STS_STATUS_OK);
    for (place = 0; place < vector->before_count; place++) {
        const char *digits = vector->before[place];
        CHECK(vector->id,
              sts_meter_enter(&meter, digits, strlen(digits), 0, &answer) == STS_STATUS_OK);
        check_result(vector->id, &answer, vector->before_results[place]);
    }
    CHECK(vector->id, sts_meter_read_registers(&meter, &registers) == STS_STATUS_OK);
    CHECK(vector->id, sts_meter_preview(&meter, vector->token, strlen(vector->token), 0,
                                        &preview) == STS_STATUS_OK);
    CHECK(vector->id, sts_meter_read_registers(&meter, &after) == STS_STATUS_OK);
    CHECK(vector->id, memcmp(&registers, &after, sizeof after) == 0);
    CHECK(vector->id, sts_meter_enter(&meter, vector->token, strlen(vector->token), 0, &answer) ==
                          STS_STATUS_OK);
    CHECK(vector->id, same_answer(&preview, &answer));
    check_result(vector->id, &answer, vector->result);
    CHECK(vector->id, answer.failed_checks == vector->failed_checks);
    CHECK(vector->id, (answer.outcome == STS_OUTCOME_NONE) == (answer.reason != STS_REASON_NONE));
    check_registers(vector->id, &meter, &registers, &answer);
}

/* ------------------------------------------------------------------------------- the edges */

static const uint8_t test_key[8] = {0xE6, 0x53, 0x34, 0x1F, 0x9D, 0x5B, 0xF3, 0x6F};
static const char class_1[] = "1844 6744 0738 4377 2416";

static sts_meter_setup plain_setup(void) {
    sts_meter_setup setup = {123456, 0, 0, 2, 7, 1, 1, 2, 255};
    return setup;
}

static void check_null(void) {
    sts_meter meter;
    sts_meter_setup setup = plain_setup();
    sts_answer answer;
    sts_token token;
    sts_registers registers;
    sts_meter_key_info info;
    sts_store store;
    struct flash flash;
    sts_storage storage = storage_of(&flash);
    sts_key_request request = {NULL, 1, 2014, 7, 1, 1, 2};
    char text[8];
    uint8_t key[16];
    const char *id = "null";
    CHECK(id, sts_meter_init(NULL, NULL, &setup, test_key, 8) == STS_STATUS_NULL);
    CHECK(id, sts_meter_init(&meter, NULL, NULL, test_key, 8) == STS_STATUS_NULL);
    CHECK(id, sts_meter_init(&meter, NULL, &setup, NULL, 8) == STS_STATUS_NULL);
    CHECK(id, sts_meter_init(&meter, NULL, &setup, test_key, 8) == STS_STATUS_OK);
    CHECK(id, sts_meter_enter(NULL, class_1, 24, 0, &answer) == STS_STATUS_NULL);
    CHECK(id, sts_meter_enter(&meter, NULL, 24, 0, &answer) == STS_STATUS_NULL);
    CHECK(id, sts_meter_enter(&meter, class_1, 24, 0, NULL) == STS_STATUS_NULL);
    CHECK(id, sts_meter_preview(NULL, class_1, 24, 0, &answer) == STS_STATUS_NULL);
    CHECK(id, sts_meter_preview(&meter, NULL, 24, 0, &answer) == STS_STATUS_NULL);
    CHECK(id, sts_meter_preview(&meter, class_1, 24, 0, NULL) == STS_STATUS_NULL);
    CHECK(id, sts_meter_display(NULL, 1, 0, text, sizeof text, NULL) == STS_STATUS_NULL);
    CHECK(id, sts_meter_display(&meter, 1, 0, NULL, sizeof text, NULL) == STS_STATUS_NULL);
    CHECK(id, sts_meter_read_registers(NULL, &registers) == STS_STATUS_NULL);
    CHECK(id, sts_meter_read_registers(&meter, NULL) == STS_STATUS_NULL);
    CHECK(id, sts_meter_write_registers(NULL, &registers) == STS_STATUS_NULL);
    CHECK(id, sts_meter_write_registers(&meter, NULL) == STS_STATUS_NULL);
    CHECK(id, sts_meter_remember(NULL, 1) == STS_STATUS_NULL);
    CHECK(id, sts_meter_set_tampered(NULL) == STS_STATUS_NULL);
    CHECK(id, sts_meter_key(NULL, 0, &info) == STS_STATUS_NULL);
    CHECK(id, sts_meter_key(&meter, 0, NULL) == STS_STATUS_NULL);
    CHECK(id, sts_meter_wipe(NULL) == STS_STATUS_NULL);
    CHECK(id, sts_open(NULL, 20, 0, NULL, 0, &token, &answer) == STS_STATUS_NULL);
    CHECK(id, sts_open(class_1, 24, 0, NULL, 0, NULL, &answer) == STS_STATUS_NULL);
    CHECK(id, sts_open(class_1, 24, 0, NULL, 0, &token, NULL) == STS_STATUS_NULL);
    CHECK(id, sts_open(class_1, 24, 7, NULL, 8, &token, &answer) == STS_STATUS_NULL);
    CHECK(id, sts_result_name(1, NULL, 8, NULL) == STS_STATUS_NULL);
    CHECK(id, sts_derive_dkga02(key, 8, NULL, key, 16, NULL) == STS_STATUS_NULL);
    CHECK(id, sts_derive_dkga02(key, 8, &request, key, 16, NULL) == STS_STATUS_NULL);
    CHECK(id, sts_store_open(NULL, &storage) == STS_STATUS_NULL);
    CHECK(id, sts_store_open(&store, NULL) == STS_STATUS_NULL);
    storage.erase = NULL;
    CHECK(id, sts_store_open(&store, &storage) == STS_STATUS_NULL);
    storage.erase = flash_erase;
    CHECK(id, sts_store_open(&store, &storage) == STS_STATUS_EMPTY);
    CHECK(id, sts_store_format(NULL, &meter) == STS_STATUS_NULL);
    CHECK(id, sts_store_format(&store, NULL) == STS_STATUS_NULL);
    CHECK(id, sts_store_format(&store, &meter) == STS_STATUS_OK);
    CHECK(id, sts_store_save(NULL, &meter) == STS_STATUS_NULL);
    CHECK(id, sts_store_save(&store, NULL) == STS_STATUS_NULL);
    CHECK(id, sts_meter_restore(NULL, &store, NULL, 0, 2) == STS_STATUS_NULL);
    CHECK(id, sts_meter_enter_saved(NULL, &store, class_1, 24, 0, &answer) == STS_STATUS_NULL);
    CHECK(id, sts_meter_enter_saved(&meter, NULL, class_1, 24, 0, &answer) == STS_STATUS_NULL);
    CHECK(id, sts_meter_enter_saved(&meter, &store, NULL, 24, 0, &answer) == STS_STATUS_NULL);
    CHECK(id, sts_meter_enter_saved(&meter, &store, class_1, 24, 0, NULL) == STS_STATUS_NULL);
    CHECK(id, sts_meter_restore(&meter, NULL, NULL, 0, 2) == STS_STATUS_NULL);
}

static void check_edges(void) {
    static const char latin_1[] = {'1', '2', '\xE9'};
    sts_meter meter, zero;
    sts_store no_store;
    sts_meter_setup setup = plain_setup();
    sts_answer answer;
    sts_token token;
    sts_key_request request = {"600727000000000009", 1, 2014, 11, 1, 1, 2};
    uint8_t key[16] = {0}, vending[20] = {0};
    char text[24];
    size_t length;
    const char *id = "edges";
    memset(&zero, 0, sizeof zero);
    memset(&no_store, 0, sizeof no_store);
    CHECK(id, sts_meter_enter(&zero, class_1, 24, 0, &answer) == STS_STATUS_NOT_INITIALISED);
    CHECK(id, sts_meter_init(&meter, NULL, &setup, test_key, 7) == STS_STATUS_KEY_LENGTH);
    setup.ea = 8;
    CHECK(id, sts_meter_init(&meter, NULL, &setup, test_key, 8) == STS_STATUS_UNSUPPORTED);
    setup.ea = 11;
    CHECK(id, sts_meter_init(&meter, NULL, &setup, test_key, 8) == STS_STATUS_KEY_LENGTH);
    setup = plain_setup();
    setup.krn = 10;
    CHECK(id, sts_meter_init(&meter, NULL, &setup, test_key, 8) == STS_STATUS_OUT_OF_RANGE);
    setup = plain_setup();
    setup.manufacturer_digits = 3;
    CHECK(id, sts_meter_init(&meter, NULL, &setup, test_key, 8) == STS_STATUS_OUT_OF_RANGE);
    setup = plain_setup();
    setup.tid_floor = 0x1000000;
    CHECK(id, sts_meter_init(&meter, NULL, &setup, test_key, 8) == STS_STATUS_OUT_OF_RANGE);
    setup = plain_setup();
    CHECK(id, sts_meter_init(&meter, NULL, &setup, test_key, 8) == STS_STATUS_OK);

    /* Nothing keyed, and what is no text. */
    CHECK(id, sts_meter_enter(&meter, NULL, 0, 0, &answer) == STS_STATUS_OK);
    CHECK(id, answer.result == STS_RESULT_LENGTH_ERROR && answer.found == 0);
    CHECK(id, sts_meter_enter(&meter, latin_1, sizeof latin_1, 0, &answer) == STS_STATUS_OK);
    CHECK(id, answer.reason == STS_REASON_NON_DIGIT && answer.value == 2);
    CHECK(id, sts_meter_enter(&meter, "12x", 3, 0, &answer) == STS_STATUS_OK);
    CHECK(id, answer.reason == STS_REASON_NON_DIGIT && answer.value == 2 && answer.found == 'x');
    CHECK(id, sts_meter_enter(&meter, class_1, 70000, 0, &answer) == STS_STATUS_OUT_OF_RANGE);

    /* A copy is a meter of its own. */
    zero = meter;
    CHECK(id, sts_meter_enter(&zero, class_1, sizeof class_1 - 1, 0, &answer) == STS_STATUS_OK);
    CHECK(id, answer.result == STS_RESULT_ACCEPT && answer.outcome == STS_OUTCOME_TESTED);
    CHECK(id, answer.value == 8);

    /* Rooms that just fit, and do not. */
    CHECK(id, sts_meter_display(&meter, STS_RESULT_CRC_ERROR, 0, text, 8, &length) ==
                  STS_STATUS_SPACE);
    CHECK(id, sts_meter_display(&meter, STS_RESULT_CRC_ERROR, 0, text, 9, &length) ==
                  STS_STATUS_OK);
    CHECK(id, length == 8 && strcmp(text, "CRCError") == 0);
    CHECK(id, sts_meter_display(&meter, 0, 0, text, 9, NULL) == STS_STATUS_OUT_OF_RANGE);
    CHECK(id, sts_meter_display(&meter, 21, 0, text, 9, NULL) == STS_STATUS_OUT_OF_RANGE);
    CHECK(id, sts_result_name(20, text, 17, NULL) == STS_STATUS_SPACE);
    CHECK(id, sts_result_name(20, text, 18, NULL) == STS_STATUS_OK);
    CHECK(id, sts_result_name(255, text, 18, NULL) == STS_STATUS_OUT_OF_RANGE);

    CHECK(id, sts_derive_dkga02(key, 8, &request, key, 16, NULL) == STS_STATUS_UNSUPPORTED);
    CHECK(id, sts_derive_dkga02(key, 9, &request, key, 16, NULL) == STS_STATUS_KEY_LENGTH);
    CHECK(id, sts_derive_dkga04(vending, 20, &request, key, 15, NULL) == STS_STATUS_SPACE);
    request.pan = "600727000000000008";
    CHECK(id, sts_derive_dkga02(key, 8, &request, key, 16, NULL) == STS_STATUS_OUT_OF_RANGE);
    request.pan = "600727000000000009";
    request.base_year = 2015;
    CHECK(id, sts_derive_dkga02(key, 8, &request, key, 16, NULL) == STS_STATUS_OUT_OF_RANGE);

    /* A class 0 token cannot be opened without a key. */
    CHECK(id, sts_open("70630503470028726115", 20, 0, NULL, 0, &token, &answer) ==
                  STS_STATUS_KEY_LENGTH);
    CHECK(id, sts_open("70630503470028726115", 20, 7, test_key, 8, &token, &answer) ==
                  STS_STATUS_OK);
    CHECK(id, answer.result == STS_RESULT_CRC_ERROR && answer.stage == STS_STAGE_AUTHENTICATION);

    CHECK(id, sts_store_save(&no_store, &meter) == STS_STATUS_NOT_INITIALISED);
    CHECK(id, sts_meter_enter_saved(&meter, &no_store, class_1, 24, 0, &answer) ==
                  STS_STATUS_NOT_INITIALISED);
    CHECK(id, sts_meter_wipe(&meter) == STS_STATUS_OK);
    CHECK(id, sts_meter_enter(&meter, class_1, 24, 0, &answer) == STS_STATUS_NOT_INITIALISED);
}

static void check_profile(void) {
    static const sts_display_rule display[] = {
        {1u << STS_RESULT_ACCEPT, 1, "more"},
        {1u << STS_RESULT_ACCEPT, 0, "ACCEPT"},
        {1u << STS_RESULT_LOCKOUT, 0, "Err {result}"},
        {1u << STS_RESULT_CRC_ERROR | 1u << STS_RESULT_LENGTH_ERROR, 0, "017"},
        {0x1FFFFE, 0, "{result"},
    };
    static const uint32_t lockout_s[] = {60, 600};
    sts_profile profile = sts_profile_standard;
    sts_meter meter;
    sts_meter_setup setup = plain_setup();
    sts_answer answer;
    char text[24];
    const char *id = "profile";
    profile.display = display;
    profile.display_count = COUNT(display);
    profile.lockout_s = lockout_s;
    profile.lockout_count = COUNT(lockout_s);
    profile.lockout_after = 2;
    profile.framings = STS_FRAMING_STS20 | STS_FRAMING_W24_CHECK;
    CHECK(id, sts_meter_init(&meter, &profile, &setup, test_key, 8) == STS_STATUS_OK);
    CHECK(id, sts_meter_enter(&meter, "184467440738437724162819", 24, 0, &answer) ==
                  STS_STATUS_OK);
    CHECK(id, answer.result == STS_RESULT_ACCEPT);
    CHECK(id, sts_meter_display(&meter, answer.result, 0, text, 24, NULL) == STS_STATUS_OK);
    CHECK(id, strcmp(text, "ACCEPT") == 0);
    CHECK(id, sts_meter_enter(&meter, "1", 1, 5, &answer) == STS_STATUS_OK);
    CHECK(id, sts_meter_enter(&meter, "70630503470028726115", 20, 5, &answer) == STS_STATUS_OK);
    CHECK(id, answer.result == STS_RESULT_CRC_ERROR && answer.register_number == 13);
    CHECK(id, sts_meter_display(&meter, answer.result, 5, text, 24, NULL) == STS_STATUS_OK);
    CHECK(id, strcmp(text, "017") == 0);
    CHECK(id, sts_meter_enter(&meter, class_1, 24, 6, &answer) == STS_STATUS_OK);
    CHECK(id, answer.result == STS_RESULT_LOCKOUT && answer.value == 59);
    CHECK(id, sts_meter_display(&meter, answer.result, 6, text, 24, NULL) == STS_STATUS_OK);
    CHECK(id, strcmp(text, "Err Lockout") == 0);
    CHECK(id, sts_meter_display(&meter, STS_RESULT_OLD_ERROR, 6, text, 24, NULL) ==
                  STS_STATUS_OK);
    CHECK(id, strcmp(text, "{result") == 0);
    CHECK(id, sts_meter_enter(&meter, class_1, 24, 65, &answer) == STS_STATUS_OK);
    CHECK(id, answer.result == STS_RESULT_ACCEPT);
}

/* The storage fails at each write in turn: the token counts wholly or not at all. */
static void check_store(void) {
    static const char token[] = "05691672784029128412"; /* 50.0 kWh */
    static const uint8_t key[8] = {0x87, 0xF3, 0xEC, 0xBB, 0x2E, 0x46, 0xB4, 0x8F};
    long writes;
    const char *id = "store";
    for (writes = 0; writes < 6; writes++) {
        struct flash flash;
        sts_storage storage = storage_of(&flash);
        sts_store store;
        sts_meter meter;
        sts_meter_setup setup = plain_setup();
        sts_answer answer;
        sts_registers registers;
        sts_status status;
        setup.sgc = 201457;
        setup.tid_floor = 5697240;
        CHECK(id, sts_meter_init(&meter, NULL, &setup, key, 8) == STS_STATUS_OK);
        CHECK(id, sts_store_open(&store, &storage) == STS_STATUS_EMPTY);
        CHECK(id, sts_store_format(&store, &meter) == STS_STATUS_OK);
        CHECK(id, sts_store_save(&store, &meter) == STS_STATUS_OK);
        flash.writes_left = writes;
        status = sts_meter_enter_saved(&meter, &store, token, 20, 0, &answer);
        CHECK(id, status == (writes < 4 ? STS_STATUS_STORAGE : STS_STATUS_OK));
        CHECK(id, answer.result == (writes < 4 ? STS_RESULT_NONE : STS_RESULT_ACCEPT));
        CHECK(id, sts_meter_read_registers(&meter, &registers) == STS_STATUS_OK);
        CHECK(id, registers.units[0] == (writes < 4 ? 0u : 500u));
        flash.writes_left = -1;
        CHECK(id, sts_meter_enter_saved(&meter, &store, token, 20, 0, &answer) == STS_STATUS_OK);
        CHECK(id,
              answer.result == (writes < 4 ? STS_RESULT_ACCEPT : STS_RESULT_USED_ERROR));
        memset(&meter, 0, sizeof meter);
        memset(&store, 0, sizeof store);
        CHECK(id, sts_store_open(&store, &storage) == STS_STATUS_OK);
        CHECK(id, sts_meter_restore(&meter, &store, NULL, 0, 2) == STS_STATUS_OK);
        CHECK(id, sts_meter_read_registers(&meter, &registers) == STS_STATUS_OK);
        CHECK(id, registers.units[0] == 500);
        CHECK(id, sts_meter_enter(&meter, token, 20, 0, &answer) == STS_STATUS_OK);
        CHECK(id, answer.result == STS_RESULT_USED_ERROR && answer.tid == 5698680);
        CHECK(id, answer.failed_checks == STS_FAILED_USED);

        flash.areas[0][100] ^= 1;
        memset(flash.areas[1], 0xFF, sizeof flash.areas[1]);
        if (writes >= 4) {
            CHECK(id, sts_store_open(&store, &storage) == STS_STATUS_UNREADABLE);
            CHECK(id, sts_meter_restore(&meter, &store, NULL, 0, 2) ==
                          STS_STATUS_NOT_INITIALISED);
            CHECK(id, sts_meter_enter(&meter, token, 20, 0, &answer) ==
                          STS_STATUS_NOT_INITIALISED);
        }
        storage.area_size = 359;
        CHECK(id, sts_store_open(&store, &storage) == STS_STATUS_SPACE);
    }
}

/* A header that `sts profiles emit` made. */
static void check_emitted(void) {
    static const uint8_t published_key[8] = {0x87, 0xF3, 0xEC, 0xBB, 0x2E, 0x46, 0xB4, 0x8F};
    const sts_profile *profile = &mangaung_2024_reconstruction_before;
    sts_meter meter;
    sts_meter_setup setup = plain_setup();
    sts_answer answer;
    char text[24];
    const char *id = "emitted profile";
    int wrong;
    CHECK(id, sts_meter_init(&meter, profile, &setup, published_key, 8) == STS_STATUS_OK);
    for (wrong = 0; wrong < 5; wrong++) {
        CHECK(id, sts_meter_enter(&meter, "05691672784029128413", 20, 0, &answer) ==
                      STS_STATUS_OK);
        CHECK(id, answer.result == STS_RESULT_CRC_ERROR);
        CHECK(id, sts_meter_display(&meter, answer.result, 0, text, 24, NULL) == STS_STATUS_OK);
        CHECK(id, strcmp(text, "017") == 0);
    }
    CHECK(id, sts_meter_enter(&meter, "05691672784029128412", 20, 1799, &answer) ==
                  STS_STATUS_OK);
    CHECK(id, answer.result == STS_RESULT_LOCKOUT);
    CHECK(id, sts_meter_display(&meter, answer.result, 0, text, 24, NULL) == STS_STATUS_OK);
    CHECK(id, strcmp(text, "Err Lockout") == 0);
    /* A water meter takes no electricity, and the first firmware no 24 digits. */
    CHECK(id, sts_meter_enter(&meter, "05691672784029128412", 20, 1800, &answer) ==
                  STS_STATUS_OK);
    CHECK(id, answer.result == STS_RESULT_FUNCTION_ERROR);
    CHECK(id, sts_meter_enter(&meter, "184467440738437724162819", 24, 1800, &answer) ==
                  STS_STATUS_OK);
    CHECK(id, answer.result == STS_RESULT_LENGTH_ERROR);
    CHECK(id, sts_meter_init(&meter, &mangaung_2024_reconstruction_after, &setup, published_key, 8) ==
                  STS_STATUS_OK);
    CHECK(id, sts_meter_enter(&meter, "184467440738437724162819", 24, 0, &answer) ==
                  STS_STATUS_OK);
    CHECK(id, answer.result == STS_RESULT_ACCEPT);
}

int main(void) {
    size_t place;
    for (place = 0; place < COUNT(keys); place++) {
        check_key(keys[place].id, &keys[place].key);
    }
    for (place = 0; place < COUNT(tokens); place++) {
        check_token(&tokens[place]);
    }
    for (place = 0; place < COUNT(tests); place++) {
        check_test(&tests[place]);
    }
    for (place = 0; place < COUNT(changes); place++) {
        check_change(&changes[place]);
    }
    for (place = 0; place < COUNT(entries); place++) {
        check_entry(&entries[place]);
    }
    check_null();
    check_edges();
    check_profile();
    check_emitted();
    check_store();
    printf("%lu cases, %lu checks, %lu failed\n",
           (unsigned long)(COUNT(keys) + COUNT(tokens) + COUNT(tests) + COUNT(changes) +
                           COUNT(entries)),
           checks, failures);
    return failures ? 1 : 0;
}
