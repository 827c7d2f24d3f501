// What `sts verify` does with credit tokens under EA07 and DKGA02, as a script of today does it.
//
//     node --openssl-legacy-provider verify.mjs keys.toml tokens.csv > verdicts.csv
//
// Single DES is in OpenSSL's legacy provider; Node has nothing else that does it.

import { createCipheriv } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const S1 = [14, 10, 7, 9, 12, 3, 2, 5, 13, 0, 15, 1, 4, 8, 6, 11];
const S2 = [12, 8, 2, 13, 7, 6, 1, 3, 11, 5, 9, 15, 0, 4, 10, 14];
const P = [
  55, 42, 10, 18, 24, 21, 44, 35, 2, 22, 56, 43, 27, 58, 9, 50,
  6, 36, 12, 61, 37, 38, 53, 16, 62, 3, 7, 4, 32, 20, 63, 25,
  51, 52, 54, 33, 49, 19, 46, 29, 48, 31, 23, 30, 41, 28, 13, 5,
  40, 60, 39, 11, 15, 17, 1, 0, 57, 34, 59, 8, 47, 14, 45, 26,
];
const BACK = [S2, S1].map((table) => table.map((_, value) => table.indexOf(value)));
const BASE = Date.UTC(2014, 0, 1);

// Words are arrays of bits, the least significant first: BigInt is slower still.
function bitsOf(word) {
  const bits = new Uint8Array(64);
  for (let half = 0; half < 2; half++) {
    const value = Number((word >> BigInt(32 * half)) & 0xffffffffn);
    for (let bit = 0; bit < 32; bit++) bits[32 * half + bit] = (value >>> bit) & 1;
  }
  return bits;
}

function field(bits, from, width) {
  let value = 0;
  for (let bit = width - 1; bit >= 0; bit--) value = value * 2 + bits[from + bit];
  return value;
}

function decrypt(key, block) {
  for (let round = 0; round < 16; round++) {
    const permuted = new Uint8Array(64);
    for (let bit = 0; bit < 64; bit++) permuted[bit] = block[P[bit]];
    block = new Uint8Array(64);
    for (let nibble = 0; nibble < 16; nibble++) {
      const value = BACK[key[(4 * nibble + round) % 64]][field(permuted, 4 * nibble, 4)];
      for (let bit = 0; bit < 4; bit++) block[4 * nibble + bit] = (value >> bit) & 1;
    }
  }
  return block;
}

function checksum(block) {
  let register = 0xffff;
  for (let byte = 6; byte >= 0; byte--) {
    register ^= byte === 6 ? 0 : field(block, 16 + 8 * byte, 8);
    for (let bit = 0; bit < 8; bit++) register = (register >> 1) ^ (register & 1 ? 0xa001 : 0);
  }
  return (register >> 8) | ((register & 0xff) << 8);
}

function derive(vending, pan, sgc, krn, ti, kt) {
  const block = BigInt(`0x${pan.slice(1, 17)}`) ^ BigInt(`0x${kt}${sgc}${ti}${krn}ffffff`);
  const cipher = createCipheriv("des-ecb", vending, null).setAutoPadding(false);
  const sealed = cipher.update(Buffer.from(block.toString(16).padStart(16, "0"), "hex"));
  return sealed.readBigUInt64BE() ^ block ^ vending.readBigUInt64BE();
}

function units(value) {
  const [exponent, mantissa] = [value >> 14, value & 0x3fff];
  return 10 ** exponent * mantissa + (2 ** 14 * (10 ** exponent - 1)) / 9;
}

const [keys, tokens] = process.argv.slice(2);
const vending = new Map();
for (const record of readFileSync(keys, "utf8").split("[[vending_key]]").slice(1)) {
  const of = (name) => record.match(new RegExp(`^${name} = "?([^"\n]*)`, "m"))[1];
  vending.set(`${of("sgc")} ${of("krn")} ${of("kt")}`, Buffer.from(of("key"), "hex"));
}
const [header, ...rows] = readFileSync(tokens, "utf8").trimEnd().split("\n");
const place = Object.fromEntries(header.split(",").map((name, at) => [name, at]));
const out = ["id,token,result,subclass,rnd,tid,tid_time,units_raw"];
for (const line of rows) {
  const row = line.split(",");
  const [id, token, pan] = [row[place.id], row[place.token], row[place.pan]];
  const [sgc, krn, ti, kt] = [row[place.sgc], row[place.krn], row[place.ti], row[place.kt]];
  const bits = BigInt(token);
  // The class stands in bits 28 and 27; the two bits it displaced are at the top.
  const sealed = (bits & 0xffffffffe7ffffffn) | ((bits >> 64n) << 27n);
  const key = derive(vending.get(`${sgc} ${krn} ${kt}`), pan, sgc, krn, ti, kt);
  const block = decrypt(bitsOf(key), bitsOf(sealed));
  if (checksum(block) !== field(block, 0, 16)) {
    out.push(`${id},${token},CRCError,,,,,`);
    continue;
  }
  const tid = field(block, 32, 24);
  const time = new Date(BASE + tid * 60000).toISOString().replace(".000", "");
  const [subclass, rnd] = [field(block, 60, 4), field(block, 56, 4)];
  out.push(`${id},${token},Authentic,${subclass},${rnd},${tid},${time},${units(field(block, 16, 16))}`);
}
writeFileSync(1, `${out.join("\n")}\n`);
