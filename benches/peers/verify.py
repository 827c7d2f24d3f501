"""What `sts verify` does with credit tokens under EA07 and DKGA02, as a script of today does it.

    python3 verify.py keys.toml tokens.csv > verdicts.csv        (needs pycryptodome)
"""

import csv
import datetime
import sys
import tomllib

from Crypto.Cipher import DES

S1 = [14, 10, 7, 9, 12, 3, 2, 5, 13, 0, 15, 1, 4, 8, 6, 11]
S2 = [12, 8, 2, 13, 7, 6, 1, 3, 11, 5, 9, 15, 0, 4, 10, 14]
P = [
    55, 42, 10, 18, 24, 21, 44, 35, 2, 22, 56, 43, 27, 58, 9, 50,
    6, 36, 12, 61, 37, 38, 53, 16, 62, 3, 7, 4, 32, 20, 63, 25,
    51, 52, 54, 33, 49, 19, 46, 29, 48, 31, 23, 30, 41, 28, 13, 5,
    40, 60, 39, 11, 15, 17, 1, 0, 57, 34, 59, 8, 47, 14, 45, 26,
]  # fmt: skip
BACK = [[table.index(value) for value in range(16)] for table in (S2, S1)]
WORD = 2**64 - 1
BASE = datetime.datetime(2014, 1, 1)


def decrypt(key, block):
    for _ in range(16):
        permuted = 0
        for bit, place in enumerate(P):
            permuted |= (block >> place & 1) << bit
        block = 0
        for nibble in range(16):
            table = BACK[key >> 4 * nibble & 1]
            block |= table[permuted >> 4 * nibble & 15] << 4 * nibble
        key = (key >> 1 | key << 63) & WORD
    return block


def checksum(block):
    register = 0xFFFF
    for byte in [0, *(block >> 16).to_bytes(6, "big")]:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register >> 8 | (register & 0xFF) << 8


def derive(vending, pan, sgc, krn, ti, kt):
    block = int(pan[1:17], 16) ^ int(f"{kt}{sgc}{ti}{krn}ffffff", 16)
    sealed = DES.new(vending, DES.MODE_ECB).encrypt(block.to_bytes(8, "big"))
    return int.from_bytes(sealed, "big") ^ block ^ int.from_bytes(vending, "big")


def units(field):
    exponent, mantissa = field >> 14, field & 0x3FFF
    return 10**exponent * mantissa + 2**14 * (10**exponent - 1) // 9


def main(keys, tokens):
    with open(keys, "rb") as file:
        vending = {
            (key["sgc"], str(key["krn"]), str(key["kt"])): bytes.fromhex(key["key"])
            for key in tomllib.load(file)["vending_key"]
        }
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["id", "token", "result", "subclass", "rnd", "tid", "tid_time", "units_raw"])
    with open(tokens, newline="") as file:
        for row in csv.DictReader(file):
            bits = int(row["token"])
            # The class stands in bits 28 and 27; the two bits it displaced are at the top.
            sealed = bits & ~(3 << 27) & WORD | (bits >> 64) << 27
            key = vending[row["sgc"], row["krn"], row["kt"]]
            key = derive(key, row["pan"], row["sgc"], row["krn"], row["ti"], row["kt"])
            block = decrypt(key, sealed)
            if checksum(block) != block & 0xFFFF:
                out.writerow([row["id"], row["token"], "CRCError", "", "", "", "", ""])
                continue
            tid = block >> 32 & 0xFFFFFF
            time = BASE + datetime.timedelta(minutes=tid)
            out.writerow([
                row["id"], row["token"], "Authentic", block >> 60, block >> 56 & 15, tid,
                time.strftime("%Y-%m-%dT%H:%M:%SZ"), units(block >> 16 & 0xFFFF),
            ])  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
