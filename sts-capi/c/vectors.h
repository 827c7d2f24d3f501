/* The rows of the tables that examples/vectors_header.rs writes. */

#ifndef VECTORS_H
#define VECTORS_H

#include "sts.h"

struct key_vector {
    uint8_t dkga;
    uint8_t vending_key[20];
    size_t vending_key_length;
    const char *pan;
    uint32_t sgc;
    uint16_t base_year;
    uint8_t ea, krn, ti, kt;
    uint8_t key[16];
    size_t key_length;
};

struct named_key {
    const char *id;
    struct key_vector key;
};

/* A token of class 0 or 2 that is no key section. A block of 0 is not stated. */
struct token_vector {
    const char *id;
    struct key_vector key;
    const char *token;
    uint64_t block;
    uint32_t tid;
    uint8_t token_class, subclass, rnd;
    int64_t amount;
    uint8_t amount_clipped;
    uint16_t field;
};

/* A token of class 1. */
struct test_vector {
    const char *id;
    const char *token;
    uint8_t subclass;
    uint64_t control;
    uint16_t manufacturer_code;
};

struct change_vector {
    const char *id;
    struct key_vector before, after;
    uint8_t ken, rollover;
    const char *tokens[4];
    size_t count;
};

/* What a meter answers. */
struct entry_vector {
    const char *id;
    struct key_vector key;
    uint8_t krn, kt, ken;
    uint32_t tid_floor;
    uint16_t manufacturer_code;
    uint8_t resources;
    uint64_t units[4];
    int64_t currency[4];
    uint32_t tids[2];
    size_t tid_count;
    const char *before[2];
    size_t before_count;
    const char *before_results[2];
    const char *token;
    const char *result;
    uint8_t failed_checks;
};

#endif
