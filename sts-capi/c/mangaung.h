/* Profile `mangaung-2024-reconstruction`, made by `sts profiles emit`; not to be edited. */
/* Where it comes from: reconstruction. */
#ifndef STS_PROFILE_MANGAUNG_2024_RECONSTRUCTION_H
#define STS_PROFILE_MANGAUNG_2024_RECONSTRUCTION_H

#include "sts.h"

static const uint32_t mangaung_2024_reconstruction_lockout_s[] = {1800};

static const sts_display_rule mangaung_2024_reconstruction_display[] = {
    {1u << STS_RESULT_ACCEPT, 0, "ACCEPT"},
    {1u << STS_RESULT_FIRST_KCT | 1u << STS_RESULT_SECOND_KCT | 1u << STS_RESULT_THIRD_KCT | 1u << STS_RESULT_FOURTH_KCT, 0, "ACCEPT"},
    {1u << STS_RESULT_CRC_ERROR | 1u << STS_RESULT_LENGTH_ERROR, 0, "017"},
    {1u << STS_RESULT_USED_ERROR, 0, "USED"},
    {1u << STS_RESULT_OLD_ERROR, 0, "OLD"},
    {0xFFFFFFFFu, 0, "Err {result}"},
};

static const sts_profile mangaung_2024_reconstruction_before = {
    0x7FFFFu, /* tests */
    0u, /* register_max */
    mangaung_2024_reconstruction_lockout_s,
    mangaung_2024_reconstruction_display,
    600u, /* section_window_s */
    6, /* display_count */
    0x0, /* management */
    STS_FRAMING_STS20,
    0x2, /* resources */
    0xC, /* key_change_sets */
    0, /* strict_section_order */
    1, /* checks_expiry */
    5, /* lockout_after */
    1, /* lockout_count */
};

static const sts_profile mangaung_2024_reconstruction_after = {
    0x7FFFFu, /* tests */
    0u, /* register_max */
    mangaung_2024_reconstruction_lockout_s,
    mangaung_2024_reconstruction_display,
    600u, /* section_window_s */
    6, /* display_count */
    0x0, /* management */
    STS_FRAMING_STS20 | STS_FRAMING_W24_CHECK,
    0x2, /* resources */
    0x8, /* key_change_sets */
    0, /* strict_section_order */
    1, /* checks_expiry */
    5, /* lockout_after */
    1, /* lockout_count */
};

#endif
