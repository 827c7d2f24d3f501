/* Decodes and validates STS (IEC 62055-41) tokens in a meter: the C interface of sts-capi.

   An independent implementation, not certified or endorsed by the STS Association or the IEC.

   Memory is the caller's: no allocator, no global state. Structures with a field `opaque` are storage
   whose contents mean nothing to C; they may be copied and moved, and one that is all zeros is
   recognised as not set up. Pointers are null or valid for their type and length; nothing is kept but
   the pointers to a profile and to a storage. One thread at a time for each structure.

   A status says whether the call was right; an answer says what the meter says. Nothing here is
   constant time, and a saved state holds the meter's key in clear.

   Made by cbindgen from the Rust source: do not edit. SPDX-License-Identifier: MIT OR Apache-2.0 */

#ifndef STS_H
#define STS_H

#include <stddef.h>
#include <stdint.h>
/* The version of this interface; an addition or a change of layout raises it. */
#define STS_INTERFACE_VERSION 1


/*
 For `tid` where there is none.
 */
#define STS_NO_TID 4294967295

/*
 For `token_class` and `subclass` where they are not known.
 */
#define STS_NO_CLASS 255

/*
 Bit of `failed_checks`: credit under a default key.
 */
#define STS_FAILED_DEFAULT_KEY 1

/*
 Bit of `failed_checks`: the key has expired for this token.
 */
#define STS_FAILED_KEY_EXPIRED 2

/*
 Bit of `failed_checks`: older than all that the meter remembers.
 */
#define STS_FAILED_OLD 4

/*
 Bit of `failed_checks`: taken before.
 */
#define STS_FAILED_USED 8

/*
 Token identifiers that a meter remembers.
 */
#define STS_TID_PLACES 50

/*
 Words of eight bytes that a meter's storage takes.
 */
#define STS_METER_WORDS 54

/*
 Bit of `framings`: twenty digits, the standard's own.
 */
#define STS_FRAMING_STS20 1

/*
 Bit of `framings`: twenty digits, key revision, resource, two check digits.
 */
#define STS_FRAMING_W24_CHECK 2

/*
 Bit of `framings`: twenty digits and four that mean nothing.
 */
#define STS_FRAMING_W24_SUFFIX 4

/*
 Bit of `framings`: four digits that mean nothing and twenty.
 */
#define STS_FRAMING_W24_PREFIX 8

/*
 Words of eight bytes that a store takes.
 */
#define STS_STORE_WORDS 16

/*
 Whether a call could be carried out. A refused token is a call that could.
 */
enum sts_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /*
     It was.
     */
    STS_STATUS_OK = 0,
    /*
     A pointer is null.
     */
    STS_STATUS_NULL = 1,
    /*
     A pointer is not aligned for its type.
     */
    STS_STATUS_MISALIGNED = 2,
    /*
     A structure was not set up, or its set-up failed.
     */
    STS_STATUS_NOT_INITIALISED = 3,
    /*
     A key has another length than its algorithm asks for.
     */
    STS_STATUS_KEY_LENGTH = 4,
    /*
     A number is outside the range of its field, or a text is not what it should be.
     */
    STS_STATUS_OUT_OF_RANGE = 5,
    /*
     The algorithm is not known, or does not give what was asked for.
     */
    STS_STATUS_UNSUPPORTED = 6,
    /*
     The room for the answer is too small.
     */
    STS_STATUS_SPACE = 7,
    /*
     The storage failed. The meter holds what was saved last, or is no longer set up.
     */
    STS_STATUS_STORAGE = 8,
    /*
     Both areas of the storage are erased: a meter as it leaves the maker.
     */
    STS_STATUS_EMPTY = 9,
    /*
     The storage is not empty and holds no state that this version can read.
     */
    STS_STATUS_UNREADABLE = 10,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sts_status sts_status;
#else
typedef uint8_t sts_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 What a meter answers. 1 to 16 are the numbers of one maker's published result register.
 */
enum sts_result
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /*
     No answer, or a token that was only opened.
     */
    STS_RESULT_NONE = 0,
    /*
     Executed.
     */
    STS_RESULT_ACCEPT = 1,
    /*
     First section of a key change stored.
     */
    STS_RESULT_FIRST_KCT = 2,
    /*
     Second section stored.
     */
    STS_RESULT_SECOND_KCT = 3,
    /*
     No room in the credit register.
     */
    STS_RESULT_OVERFLOW_ERROR = 4,
    /*
     Change of key type not allowed.
     */
    STS_RESULT_KEY_TYPE_ERROR = 5,
    /*
     No digit, above the largest token, or a section out of order.
     */
    STS_RESULT_FORMAT_ERROR = 6,
    /*
     A field outside its range.
     */
    STS_RESULT_RANGE_ERROR = 7,
    /*
     The meter lacks the function.
     */
    STS_RESULT_FUNCTION_ERROR = 8,
    /*
     Older than all the meter remembers.
     */
    STS_RESULT_OLD_ERROR = 9,
    /*
     Taken before.
     */
    STS_RESULT_USED_ERROR = 10,
    /*
     Past the key's expiry number.
     */
    STS_RESULT_KEY_EXPIRED_ERROR = 11,
    /*
     Credit under a default key.
     */
    STS_RESULT_DDTK_ERROR = 12,
    /*
     Does not authenticate.
     */
    STS_RESULT_CRC_ERROR = 13,
    /*
     Another maker's test token.
     */
    STS_RESULT_MFR_CODE_ERROR = 14,
    /*
     The keypad is locked.
     */
    STS_RESULT_LOCKOUT = 15,
    /*
     The meter takes nothing now.
     */
    STS_RESULT_NOT_READY = 16,
    /*
     Third section stored.
     */
    STS_RESULT_THIRD_KCT = 17,
    /*
     Fourth section stored.
     */
    STS_RESULT_FOURTH_KCT = 18,
    /*
     A number of digits that this meter does not take.
     */
    STS_RESULT_LENGTH_ERROR = 19,
    /*
     Check or claims of a 24-digit entry are wrong.
     */
    STS_RESULT_EXTENSION_MISMATCH = 20,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sts_result sts_result;
#else
typedef uint8_t sts_result;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 Where in the meter's work a token was refused.
 */
enum sts_stage
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /*
     It was not.
     */
    STS_STAGE_NONE = 0,
    /*
     The keypad took nothing.
     */
    STS_STAGE_KEYPAD = 1,
    /*
     The digits are no token.
     */
    STS_STAGE_FRAMING = 2,
    /*
     The token is not shown to be for this meter.
     */
    STS_STAGE_AUTHENTICATION = 3,
    /*
     The token is for this meter but not valid.
     */
    STS_STAGE_VALIDATION = 4,
    /*
     The token is valid and cannot be executed.
     */
    STS_STAGE_APPLICATION = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sts_stage sts_stage;
#else
typedef uint8_t sts_stage;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 Why a token was refused, and what `found`, `expected` and `value` of the answer mean.
 */
enum sts_reason
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /*
     It was not.
     */
    STS_REASON_NONE = 0,
    /*
     `value`: seconds until the keypad is free.
     */
    STS_REASON_LOCKOUT = 1,
    /*
     The meter takes nothing now.
     */
    STS_REASON_NOT_READY = 2,
    /*
     `found`: the character's code point; `value`: its place from 0.
     */
    STS_REASON_NON_DIGIT = 3,
    /*
     `found`: digits entered; `value`: `STS_FRAMING_` bits of the forms they would fit.
     */
    STS_REASON_LENGTH = 4,
    /*
     At or above 2^66.
     */
    STS_REASON_TOO_LARGE = 5,
    /*
     Check digits `found` and `expected`.
     */
    STS_REASON_EXTENSION_CHECK = 6,
    /*
     Key revision claimed is `found`, the meter's is `expected`.
     */
    STS_REASON_EXTENSION_KEY_REVISION = 7,
    /*
     Resource claimed is `found`; class and subclass are the token's.
     */
    STS_REASON_EXTENSION_RESOURCE = 8,
    /*
     Class 3.
     */
    STS_REASON_RESERVED_CLASS = 9,
    /*
     The check does not hold: another key, another meter, a wrong digit.
     */
    STS_REASON_CRC = 10,
    /*
     Manufacturer code `found`, the meter's is `expected`.
     */
    STS_REASON_MFR_CODE = 11,
    /*
     The meter holds a default key.
     */
    STS_REASON_DEFAULT_KEY = 12,
    /*
     `tid` is past the key expiry number `expected`.
     */
    STS_REASON_KEY_EXPIRED = 13,
    /*
     `tid` is below `expected`, the oldest kept.
     */
    STS_REASON_OLD = 14,
    /*
     `tid` was taken before.
     */
    STS_REASON_USED = 15,
    /*
     Key type `found` may not follow key type `expected`.
     */
    STS_REASON_KEY_TYPE = 16,
    /*
     Section `found` came where `expected` should.
     */
    STS_REASON_SECTION_ORDER = 17,
    /*
     `found` is out of range; `expected`: 0 key revision, 1 tariff index, 2 supply group, 3 register
     to clear.
     */
    STS_REASON_RANGE = 18,
    /*
     The meter lacks class and subclass.
     */
    STS_REASON_UNSUPPORTED = 19,
    /*
     The meter does not take section `found` of such a key change.
     */
    STS_REASON_UNSUPPORTED_SECTION = 20,
    /*
     The meter knows none of the tests.
     */
    STS_REASON_UNKNOWN_TEST = 21,
    /*
     Register `found` has room for `value` more.
     */
    STS_REASON_OVERFLOW = 22,
    /*
     A refusal that this header does not know; `result` names it.
     */
    STS_REASON_OTHER = 255,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sts_reason sts_reason;
#else
typedef uint8_t sts_reason;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 What a taken token does, and what `found` and `value` of the answer mean.
 */
enum sts_outcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /*
     Nothing: it was refused.
     */
    STS_OUTCOME_NONE = 0,
    /*
     Register `found` (0 to 3) now holds `value` tenths of its unit.
     */
    STS_OUTCOME_CREDITED = 1,
    /*
     Register `found` (4 to 7) now holds `value` as `int64_t`, in 0.00001 of the base currency.
     */
    STS_OUTCOME_CURRENCY_CREDITED = 2,
    /*
     `value`: control bits, bit k for test k + 1, all for test 0; `found`: manufacturer code.
     */
    STS_OUTCOME_TESTED = 3,
    /*
     The setting of the token's subclass; `value`: its 16 bits.
     */
    STS_OUTCOME_SET = 4,
    /*
     Section `found` of a key change is stored.
     */
    STS_OUTCOME_SECTION_STORED = 5,
    /*
     The key was changed, to revision `found`; `value` 1: the memory of tokens was cleared.
     */
    STS_OUTCOME_KEY_CHANGED = 6,
    /*
     A maker's own function, of the token's class and subclass.
     */
    STS_OUTCOME_OWN = 7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sts_outcome sts_outcome;
#else
typedef uint8_t sts_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 What a decoder key is derived for.
 */
typedef struct sts_key_request {
    /*
     The 18 digits of the meter's primary account number; no zero byte is needed.
     */
    const char *pan;
    /*
     Supply group code, 0 to 999999.
     */
    uint32_t sgc;
    /*
     Year of the base date: 1993, 2014 or 2035. DKGA02 does not look at it.
     */
    uint16_t base_year;
    /*
     Encryption algorithm: 7, 9 or 11.
     */
    uint8_t ea;
    /*
     Key revision number, 0 to 9.
     */
    uint8_t krn;
    /*
     Tariff index, 0 to 99.
     */
    uint8_t ti;
    /*
     Key type, 0 to 3.
     */
    uint8_t kt;
} sts_key_request;

/*
 Storage of a meter. Its contents mean nothing to C.
 */
typedef struct sts_meter {
    uint64_t opaque[STS_METER_WORDS];
} sts_meter;

/*
 What the meter shows for some of its results. The first rule that matches wins.
 */
typedef struct sts_display_rule {
    /*
     The results it is for: bit n for the result of number n.
     */
    uint32_t on;
    /*
     Not 0: only while some, but not all, sections of a key change are stored.
     */
    uint8_t only_pending;
    /*
     The text, closed by a zero byte; `{result}` stands for the result's name.
     */
    const char *show;
} sts_display_rule;

/*
 What the firmware accepts and shows. It must stay where it is while a meter uses it.

 A meter that is given none takes `sts_profile_standard`.
 */
typedef struct sts_profile {
    /*
     Class 1 tests the meter knows: bit n for test n. Test 0 is always known.
     */
    uint64_t tests;
    /*
     The most that a credit register holds, in its unit; 0 for all 64 bits.
     */
    uint64_t register_max;
    /*
     Seconds of the first, second and further lock-outs in a row; the last repeats.
     */
    const uint32_t *lockout_s;
    /*
     What the meter shows; the result's name where no rule matches.
     */
    const struct sts_display_rule *display;
    /*
     Seconds after a section of a key change in which the next must come; 0 for ever.
     */
    uint32_t section_window_s;
    /*
     Rules that `display` points to.
     */
    uint16_t display_count;
    /*
     Class 2 subclasses among 2, 7 and 10 to 15 that the meter has: bit n for subclass n.
     */
    uint16_t management;
    /*
     `STS_FRAMING_` bits: what the keypad takes.
     */
    uint8_t framings;
    /*
     Class 0 subclasses that the meter takes: bit n for subclass n.
     */
    uint8_t resources;
    /*
     Sizes of key change that the meter takes: bits 2, 3 and 4.
     */
    uint8_t key_change_sets;
    /*
     Not 0: sections of a key change are taken from first to last only.
     */
    uint8_t strict_section_order;
    /*
     Not 0: token identifiers are compared with the key expiry number.
     */
    uint8_t checks_expiry;
    /*
     Wrong entries that lock the keypad; 0 for no lock-out.
     */
    uint8_t lockout_after;
    /*
     Numbers that `lockout_s` points to.
     */
    uint8_t lockout_count;
} sts_profile;

/*
 What a meter is set up with.
 */
typedef struct sts_meter_setup {
    /*
     Supply group code, 0 to 999999.
     */
    uint32_t sgc;
    /*
     The TID that fills the memory: that of the day the meter was made, 24 bits.
     */
    uint32_t tid_floor;
    /*
     The maker's code, as a number.
     */
    uint16_t manufacturer_code;
    /*
     Its digits: 2 or 4.
     */
    uint8_t manufacturer_digits;
    /*
     Encryption algorithm: 7, 9 or 11.
     */
    uint8_t ea;
    /*
     Key revision number, 0 to 9.
     */
    uint8_t krn;
    /*
     Tariff index, 0 to 99.
     */
    uint8_t ti;
    /*
     Key type, 0 to 3; 2 is a unique key, the usual one.
     */
    uint8_t kt;
    /*
     Key expiry number; 255 is never.
     */
    uint8_t ken;
} sts_meter_setup;

/*
 What the meter says to an entry.
 */
typedef struct sts_answer {
    /*
     Detail; see `sts_reason` and `sts_outcome`. 0 where nothing is said.
     */
    uint64_t value;
    /*
     Detail; see `sts_reason` and `sts_outcome`. 0 where nothing is said.
     */
    uint32_t found;
    /*
     Detail; see `sts_reason`. 0 where nothing is said.
     */
    uint32_t expected;
    /*
     The token identifier, 24 bits; `STS_NO_TID` where there is none or it is not authentic.
     */
    uint32_t tid;
    /*
     The result.
     */
    sts_result result;
    /*
     1 to 16, the number in one maker's published register; 0 where it has none.
     */
    uint8_t register_number;
    /*
     Where it was refused.
     */
    sts_stage stage;
    /*
     Why it was refused.
     */
    sts_reason reason;
    /*
     What a taken token does.
     */
    sts_outcome outcome;
    /*
     `STS_FAILED_` bits: every check of the validation that failed, not only the one reported.
     */
    uint8_t failed_checks;
    /*
     Class, 0 to 3, where it is known and authentic; else `STS_NO_CLASS`.
     */
    uint8_t token_class;
    /*
     Subclass, 0 to 15, likewise.
     */
    uint8_t subclass;
} sts_answer;

/*
 Credit registers, by class 0 subclass.
 */
typedef struct sts_registers {
    /*
     Electricity, water, gas, time: tenths of kWh, m3, m3, min.
     */
    uint64_t units[4];
    /*
     The same four in currency: 0.00001 of the base currency.
     */
    int64_t currency[4];
} sts_registers;

/*
 What a meter knows of its key. The key itself is not told.
 */
typedef struct sts_meter_key_info {
    /*
     Supply group code.
     */
    uint32_t sgc;
    /*
     Encryption algorithm: 7, 9 or 11.
     */
    uint8_t ea;
    /*
     Key revision number.
     */
    uint8_t krn;
    /*
     Tariff index.
     */
    uint8_t ti;
    /*
     Key type.
     */
    uint8_t kt;
    /*
     Key expiry number.
     */
    uint8_t ken;
    /*
     Sections of a key change that are stored: bit 0 for the first.
     */
    uint8_t sections;
} sts_meter_key_info;

/*
 Where in the storage the saved state is. Its contents mean nothing to C.
 */
typedef struct sts_store {
    uint64_t opaque[STS_STORE_WORDS];
} sts_store;

/*
 The caller's memory: two areas, 0 and 1, of `area_size` bytes each.

 The functions return 0 where they succeed. `offset` is in bytes from the area's start and a
 multiple of 8; a word is always 8 bytes.
 */
typedef struct sts_storage {
    /*
     Given to the functions as it is.
     */
    void *context;
    /*
     Reads 8 bytes.
     */
    int (*read)(void *context, uint8_t area, uint32_t offset, uint8_t *bytes);
    /*
     Writes 8 bytes that are erased. Once it returns, they outlast a loss of power.
     */
    int (*write)(void *context, uint8_t area, uint32_t offset, const uint8_t *bytes);
    /*
     Erases an area: every byte reads 0xFF afterwards.
     */
    int (*erase)(void *context, uint8_t area);
    /*
     Bytes of an area: at least 360; 1024 and more write less. What is above 524280 is not used.
     */
    uint32_t area_size;
} sts_storage;

/*
 What a token says. Fields that its class and subclass do not have are 0.
 */
typedef struct sts_token {
    /*
     The plain block, check included.
     */
    uint64_t block;
    /*
     Class 0, subclasses 0 to 3: tenths of the unit. Subclasses 4 to 7: 0.00001 of the base currency.
     */
    int64_t amount;
    /*
     Class 1: control bits.
     */
    uint64_t control;
    /*
     Token identifier, 24 bits; `STS_NO_TID` where the layout has none.
     */
    uint32_t tid;
    /*
     Third section of a 64-bit key change: the supply group code, raw.
     */
    uint32_t sgc;
    /*
     Class 2 with a token identifier: the 16 bits.
     */
    uint16_t field;
    /*
     Class 1: manufacturer code.
     */
    uint16_t manufacturer_code;
    /*
     0 to 3.
     */
    uint8_t token_class;
    /*
     0 to 15.
     */
    uint8_t subclass;
    /*
     Four random bits.
     */
    uint8_t rnd;
    /*
     1: the amount is beyond 64 bits, and `amount` is the nearest.
     */
    uint8_t amount_clipped;
    /*
     Section of a key change, 1 to 4; else 0.
     */
    uint8_t section;
    /*
     First section: key revision number, raw.
     */
    uint8_t krn;
    /*
     First section: key type.
     */
    uint8_t kt;
    /*
     First section: 1 where the memory of tokens is cleared.
     */
    uint8_t rollover;
    /*
     First section: 1 where a third section with the supply group code follows.
     */
    uint8_t three_kct;
    /*
     First and second section: half of the key expiry number.
     */
    uint8_t ken_half;
    /*
     Second section: tariff index, raw.
     */
    uint8_t ti;
} sts_token;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The plain STS meter: twenty digits, all credit, every key change in any order, no window, no
 lock-out, the result's name on the display.
 */
extern const struct sts_profile sts_profile_standard;

/*
 Writes the standard's own name of a result, as `CRCError`, closed by a zero byte.

 `length` may be null; it is the text's length without the zero. 18 bytes are always enough.

 `text` has room for `capacity` bytes; pointers are null or valid.
 */
sts_status sts_result_name(uint8_t result, char *text, size_t capacity, size_t *length);

/*
 Derives a decoder key of 8 bytes by DKGA02, from a vending key of 8 bytes.

 `length` may be null; it is the key's length. `STS_STATUS_UNSUPPORTED` for algorithm 11, which
 needs DKGA04.

 Pointers are null or valid for their type and length.
 */
sts_status sts_derive_dkga02(const uint8_t *vending_key,
                             size_t vending_key_length,
                             const struct sts_key_request *request,
                             uint8_t *key,
                             size_t capacity,
                             size_t *length);

/*
 Derives a decoder key of 8 bytes, or 16 for algorithm 11, by DKGA04, from a vending key of 20
 bytes.

 `length` may be null; it is the key's length.

 Pointers are null or valid for their type and length.
 */
sts_status sts_derive_dkga04(const uint8_t *vending_key,
                             size_t vending_key_length,
                             const struct sts_key_request *request,
                             uint8_t *key,
                             size_t capacity,
                             size_t *length);

/*
 Sets a meter up, whatever was in its storage.

 `profile` may be null for `sts_profile_standard`. `key` is the decoder key, most significant byte
 first: 8 bytes for algorithms 7 and 9, 16 for 11.

 Pointers are null or valid for their type and length; `profile` outlives the meter.
 */
sts_status sts_meter_init(struct sts_meter *meter,
                          const struct sts_profile *profile,
                          const struct sts_meter_setup *setup,
                          const uint8_t *key,
                          size_t key_length);

/*
 Says what entering would answer, and changes nothing.

 `keyed` is ASCII or UTF-8 of `length` bytes; blanks and hyphens between digits are skipped. `now_s`
 is in seconds of a clock that does not go back, not even over a loss of power; it serves only the
 lock-out and the window of a key change, and may stay 0 where the profile has neither.

 Pointers are null or valid for their type and length.
 */
sts_status sts_meter_preview(struct sts_meter *meter,
                             const char *keyed,
                             size_t length,
                             uint64_t now_s,
                             struct sts_answer *answer);

/*
 Enters what was keyed: executes the token, or counts the refusal towards a lock-out.

 Arguments as for `sts_meter_preview`. A loss of power forgets it: see `sts_meter_enter_saved`.

 Pointers are null or valid for their type and length.
 */
sts_status sts_meter_enter(struct sts_meter *meter,
                           const char *keyed,
                           size_t length,
                           uint64_t now_s,
                           struct sts_answer *answer);

/*
 Writes what the meter shows for a result, closed by a zero byte.

 `result` is the `result` of an answer. `length` may be null; it is the text's length without the
 zero. `STS_STATUS_SPACE` where it does not fit: the room then holds a part of it, not closed.

 Pointers are null or valid for their type and length.
 */
sts_status sts_meter_display(struct sts_meter *meter,
                             uint8_t result,
                             uint64_t now_s,
                             char *text,
                             size_t capacity,
                             size_t *length);

/*
 Reads the credit registers.

 Pointers are null or valid for their type.
 */
sts_status sts_meter_read_registers(struct sts_meter *meter, struct sts_registers *registers);

/*
 Writes the credit registers, as metering does with what was used.

 Pointers are null or valid for their type.
 */
sts_status sts_meter_write_registers(struct sts_meter *meter,
                                     const struct sts_registers *registers);

/*
 Sets the tamper condition, as the meter's own detection does; a token clears it.

 The pointer is null or valid.
 */
sts_status sts_meter_set_tampered(struct sts_meter *meter);

/*
 Remembers a token identifier in the place of the lowest, as where a meter takes the memory of
 another over.

 The pointer is null or valid.
 */
sts_status sts_meter_remember(struct sts_meter *meter, uint32_t tid);

/*
 Tells what the meter knows of its key.

 Pointers are null or valid for their type.
 */
sts_status sts_meter_key(struct sts_meter *meter, uint64_t now_s, struct sts_meter_key_info *key);

/*
 Overwrites a meter's storage, its key included.

 The pointer is null or valid.
 */
sts_status sts_meter_wipe(struct sts_meter *meter);

/*
 Finds the saved state. Nothing is written.

 `STS_STATUS_EMPTY`: a meter as it leaves the maker; set it up and call `sts_store_format`.
 `STS_STATUS_UNREADABLE`: the storage holds something else, or another version; to format it would
 let tokens be used again.

 Pointers are null or valid for their type; `storage` outlives the store.
 */
sts_status sts_store_open(struct sts_store *store, const struct sts_storage *storage);

/*
 Erases the storage and saves a first state, for a meter that leaves the maker.

 Done again where power failed meanwhile.

 Pointers are null or valid for their type.
 */
sts_status sts_store_format(struct sts_store *store, struct sts_meter *meter);

/*
 Sets a meter up with the saved state, after a loss of power.

 The profile, which may be null for the standard one, and the maker's code are the firmware's.

 Pointers are null or valid for their type; `profile` outlives the meter.
 */
sts_status sts_meter_restore(struct sts_meter *meter,
                             struct sts_store *store,
                             const struct sts_profile *profile,
                             uint16_t manufacturer_code,
                             uint8_t manufacturer_digits);

/*
 Saves what of a meter's state changed: registers after metering, the tamper condition.

 Writes nothing where nothing changed. `STS_STATUS_STORAGE`: the meter holds what was saved last, or is no
 longer set up.

 Pointers are null or valid for their type.
 */
sts_status sts_store_save(struct sts_store *store,
                          struct sts_meter *meter);

/*
 Enters what was keyed and saves the new state, before it says so.

 Arguments as for `sts_meter_preview`. An answer is given only with `STS_STATUS_OK`, and then
 outlasts a loss of power: show it only then. With `STS_STATUS_STORAGE`, or after a loss of power
 meanwhile, the token counts either wholly or not at all; entered again, a credit is
 `STS_RESULT_USED_ERROR` in the first case.

 Pointers are null or valid for their type and length.
 */
sts_status sts_meter_enter_saved(struct sts_meter *meter,
                                 struct sts_store *store,
                                 const char *keyed,
                                 size_t length,
                                 uint64_t now_s,
                                 struct sts_answer *answer);

/*
 Opens one token of twenty digits under a key, and authenticates it.

 `ea` is 7, 9 or 11. A token of class 1 needs no key: then `key` may be null, `key_length` and `ea`
 0. The `result` of the answer is `STS_RESULT_NONE` for an authentic token, since no meter has judged
 it; for any other it is the refusal, and `token` says nothing.

 Pointers are null or valid for their type and length.
 */
sts_status sts_open(const char *keyed,
                    size_t length,
                    uint8_t ea,
                    const uint8_t *key,
                    size_t key_length,
                    struct sts_token *token,
                    struct sts_answer *answer);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* STS_H */
