// What the page says of the vectors: class and result of every token, and the fields of class 1.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";

const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), {});
const { memory, sts_room, sts_look } = instance.exports;

function look(text) {
  const room = new Uint8Array(memory.buffer, sts_room(), 4096);
  const { written } = new TextEncoder().encodeInto(text, room);
  const length = sts_look(written);
  return JSON.parse(new TextDecoder().decode(new Uint8Array(memory.buffer, sts_room(), length)));
}

const folder = new URL("../vectors/", import.meta.url);
let tokens = 0;
let tests = 0;
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  for (const vector of JSON.parse(readFileSync(new URL(file, folder), "utf8")).cases ?? []) {
    for (const token of [vector.expected_token, ...(vector.expected_tokens ?? [])].filter(Boolean)) {
      const said = look(token);
      // The two class bits stand in bits 28 and 27.
      const sort = Number((BigInt(token) >> 27n) & 3n);
      assert.equal(said.token_class, sort, token);
      assert.equal(said.bits, BigInt(token).toString(2).padStart(66, "0"), token);
      if (sort === 0 || sort === 2) assert.equal(said.result, "Encrypted", token);
      if (vector.kind === "class1-token" && vector.result) {
        assert.equal(said.result, vector.result, token);
        if (said.result === "Authentic" && said.tests) {
          assert.equal(parseInt(said.control, 16), parseInt(vector.control, 16), token);
          assert.equal(said.mfr_code, vector.mfr_code, token);
          tests++;
        }
      }
      tokens++;
    }
  }
}
for (const bad of ["\0", "\u{1f4a7}".repeat(2000), '"\\', "9".repeat(4000)]) {
  assert.match(look(bad).result, /FormatError|LengthError/);
}
assert(tokens > 400 && tests > 100, `${tokens} tokens, ${tests} tests`);
console.log(`${tokens} tokens, ${tests} of them tests of a meter`);
