//! Searches the small circuits of `src/circuits.rs`: the S-boxes of DEA, and the pair of inverse
//! substitutions of STA that a key bit chooses from.
//!
//! ```text
//! cargo run --release -p sts-batch --example circuits -- TRIES > sts-batch/src/circuits.rs
//! ```
//!
//! Two sets: of two-input gates, and of three-input gates (any truth table, one `vpternlog` each).
//! Each try builds a circuit anew by Kwan's recursion (use what is there, else add a gate that
//! fits, else split at an input), and then walks: a gate is replaced by another one or two that
//! agree with it wherever the outputs can tell, as long as the circuit hardly grows. The smallest
//! of all tries is kept. The same number of tries gives the same file.
//!
//! Two-input gates are and, and-not, or, exclusive or: each is 0 where its inputs are, so a circuit
//! is 0 at input 0. Outputs of DEA boxes that are 1 there are left complemented: `OUTPUTS_INVERTED`
//! says which, and the rounds make up for it in the key. STA has a constant 1 as a sixth input.

#![expect(
    clippy::cast_possible_truncation,
    reason = "circuits have far fewer than 256 nodes, tables fewer entries"
)]

use std::env::args;
use std::io::Write;
use std::process::ExitCode;

/// FIPS 46-3, appendix 1: four rows of sixteen.
#[rustfmt::skip]
const DEA: [[u8; 64]; 8] = [
    [
        14,  4, 13,  1,  2, 15, 11,  8,  3, 10,  6, 12,  5,  9,  0,  7,
         0, 15,  7,  4, 14,  2, 13,  1, 10,  6, 12, 11,  9,  5,  3,  8,
         4,  1, 14,  8, 13,  6,  2, 11, 15, 12,  9,  7,  3, 10,  5,  0,
        15, 12,  8,  2,  4,  9,  1,  7,  5, 11,  3, 14, 10,  0,  6, 13,
    ],
    [
        15,  1,  8, 14,  6, 11,  3,  4,  9,  7,  2, 13, 12,  0,  5, 10,
         3, 13,  4,  7, 15,  2,  8, 14, 12,  0,  1, 10,  6,  9, 11,  5,
         0, 14,  7, 11, 10,  4, 13,  1,  5,  8, 12,  6,  9,  3,  2, 15,
        13,  8, 10,  1,  3, 15,  4,  2, 11,  6,  7, 12,  0,  5, 14,  9,
    ],
    [
        10,  0,  9, 14,  6,  3, 15,  5,  1, 13, 12,  7, 11,  4,  2,  8,
        13,  7,  0,  9,  3,  4,  6, 10,  2,  8,  5, 14, 12, 11, 15,  1,
        13,  6,  4,  9,  8, 15,  3,  0, 11,  1,  2, 12,  5, 10, 14,  7,
         1, 10, 13,  0,  6,  9,  8,  7,  4, 15, 14,  3, 11,  5,  2, 12,
    ],
    [
         7, 13, 14,  3,  0,  6,  9, 10,  1,  2,  8,  5, 11, 12,  4, 15,
        13,  8, 11,  5,  6, 15,  0,  3,  4,  7,  2, 12,  1, 10, 14,  9,
        10,  6,  9,  0, 12, 11,  7, 13, 15,  1,  3, 14,  5,  2,  8,  4,
         3, 15,  0,  6, 10,  1, 13,  8,  9,  4,  5, 11, 12,  7,  2, 14,
    ],
    [
         2, 12,  4,  1,  7, 10, 11,  6,  8,  5,  3, 15, 13,  0, 14,  9,
        14, 11,  2, 12,  4,  7, 13,  1,  5,  0, 15, 10,  3,  9,  8,  6,
         4,  2,  1, 11, 10, 13,  7,  8, 15,  9, 12,  5,  6,  3,  0, 14,
        11,  8, 12,  7,  1, 14,  2, 13,  6, 15,  0,  9, 10,  4,  5,  3,
    ],
    [
        12,  1, 10, 15,  9,  2,  6,  8,  0, 13,  3,  4, 14,  7,  5, 11,
        10, 15,  4,  2,  7, 12,  9,  5,  6,  1, 13, 14,  0, 11,  3,  8,
         9, 14, 15,  5,  2,  8, 12,  3,  7,  0,  4, 10,  1, 13, 11,  6,
         4,  3,  2, 12,  9,  5, 15, 10, 11, 14,  1,  7,  6,  0,  8, 13,
    ],
    [
         4, 11,  2, 14, 15,  0,  8, 13,  3, 12,  9,  7,  5, 10,  6,  1,
        13,  0, 11,  7,  4,  9,  1, 10, 14,  3,  5, 12,  2, 15,  8,  6,
         1,  4, 11, 13, 12,  3,  7, 14, 10, 15,  6,  8,  0,  5,  9,  2,
         6, 11, 13,  8,  1,  4, 10,  7,  9,  5,  0, 15, 14,  2,  3, 12,
    ],
    [
        13,  2,  8,  4,  6, 15, 11,  1, 10,  9,  3, 14,  5,  0, 12,  7,
         1, 15, 13,  8, 10,  3,  7,  4, 12,  5,  6, 11,  0, 14,  9,  2,
         7, 11,  4,  1,  9, 12, 14,  2,  0,  6, 10, 13, 15,  3,  5,  8,
         2,  1, 14,  7,  4, 10,  8, 13, 15, 12,  9,  0,  3,  5,  6, 11,
    ],
];

/// The deployed substitutions of STA, in the direction of encryption; a key bit of 0 undoes the
/// second, of 1 the first.
#[rustfmt::skip]
const STA: [[u8; 16]; 2] = [
    [14, 10, 7, 9, 12, 3, 2, 5, 13, 0, 15, 1, 4, 8, 6, 11],
    [12, 8, 2, 13, 7, 6, 1, 3, 11, 5, 9, 15, 0, 4, 10, 14],
];

// ------------------------------------------------------------------------------------- circuits

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Two,
    Three,
}

/// Two-input gates have one of [`OPERATIONS`] and two inputs, three-input gates the immediate of
/// `vpternlog`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Gate {
    table: u8,
    inputs: [u8; 3],
}

const OPERATIONS: [&str; 4] = ["and", "and_not", "or", "xor"];

/// Nodes are numbered: inputs first, then gates, each after what it reads.
#[derive(Clone, Debug)]
struct Circuit {
    kind: Kind,
    /// Truth tables of all nodes: bit `x` is the value at input `x`.
    values: Vec<u64>,
    inputs: usize,
    gates: Vec<Gate>,
    outputs: [u8; 4],
}

/// What a circuit is to compute.
struct Goal {
    name: String,
    inputs: Vec<u64>,
    /// Whether the last input is a constant 1.
    constant: bool,
    outputs: [u64; 4],
    /// The inputs that occur.
    domain: u64,
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (((self.next() >> 32) * limit as u64) >> 32) as usize
    }
}

/// One of those offered, each as likely as the others.
struct Pick<T> {
    seen: usize,
    kept: Option<T>,
}

impl<T> Pick<T> {
    fn new() -> Self {
        Self { seen: 0, kept: None }
    }

    fn offer(&mut self, item: T, random: &mut Random) {
        self.seen += 1;
        if random.below(self.seen) == 0 {
            self.kept = Some(item);
        }
    }
}

fn evaluate(kind: Kind, table: u8, [a, b, c]: [u64; 3]) -> u64 {
    if kind == Kind::Two {
        return match table {
            0 => a & b,
            1 => a & !b,
            2 => a | b,
            _ => a ^ b,
        };
    }
    let chosen = |from: u8| {
        let row = |at: u8| {
            let bit = |bit: u8| 0_u64.wrapping_sub(u64::from(table >> bit & 1));
            bit(at) ^ (bit(at) ^ bit(at + 1)) & c
        };
        row(from) ^ (row(from) ^ row(from + 2)) & b
    };
    chosen(0) ^ (chosen(0) ^ chosen(4)) & a
}

impl Circuit {
    fn new(kind: Kind, goal: &Goal) -> Self {
        let (values, inputs) = (goal.inputs.clone(), goal.inputs.len());
        Self { kind, values, inputs, gates: Vec::new(), outputs: [0; 4] }
    }

    fn value(&self, gate: &Gate) -> u64 {
        let [a, b, c] = gate.inputs;
        let read = |node: u8| self.values[usize::from(node)];
        evaluate(self.kind, gate.table, [read(a), read(b), read(c)])
    }

    fn add(&mut self, gate: Gate) -> u8 {
        self.values.push(self.value(&gate));
        self.gates.push(gate);
        u8::try_from(self.values.len() - 1).expect("circuits are small")
    }

    /// A gate over `candidates` that gives `target` within `care`.
    fn fit(
        &self,
        candidates: &[u8],
        target: u64,
        care: u64,
        not: Option<Gate>,
        random: &mut Random,
    ) -> Option<Gate> {
        match self.kind {
            Kind::Two => self.fit_two(candidates, target, care, not, random),
            Kind::Three => self.fit_three(candidates, target, care, not, random),
        }
    }

    fn fit_two(
        &self,
        candidates: &[u8],
        target: u64,
        care: u64,
        not: Option<Gate>,
        random: &mut Random,
    ) -> Option<Gate> {
        let (on, off) = (target & care, !target & care);
        let mut pick = Pick::new();
        let mut offer = |table, a, b| {
            let gate = Gate { table, inputs: [a, b, a] };
            if Some(gate) != not {
                pick.offer(gate, random);
            }
        };
        for (at, &a) in candidates.iter().enumerate() {
            let va = self.values[usize::from(a)];
            let (covers, within) = (on & !va == 0, off & va == 0);
            for &b in &candidates[..at] {
                let vb = self.values[usize::from(b)];
                if (va ^ vb ^ target) & care == 0 {
                    offer(3, a, b);
                }
                if covers && on & !vb == 0 && off & va & vb == 0 {
                    offer(0, a, b);
                }
                if within && off & vb == 0 && on & !(va | vb) == 0 {
                    offer(2, a, b);
                }
                if covers && on & vb == 0 && off & va & !vb == 0 {
                    offer(1, a, b);
                }
                if on & va == 0 && on & !vb == 0 && off & vb & !va == 0 {
                    offer(1, b, a);
                }
            }
        }
        pick.kept
    }

    fn fit_three(
        &self,
        candidates: &[u8],
        target: u64,
        care: u64,
        not: Option<Gate>,
        random: &mut Random,
    ) -> Option<Gate> {
        let (on, off) = (target & care, !target & care);
        let mut pick = Pick::new();
        for (i, &a) in candidates.iter().enumerate() {
            let va = self.values[usize::from(a)];
            for (j, &b) in candidates[..i].iter().enumerate() {
                let vb = self.values[usize::from(b)];
                let cells = [!va & !vb, !va & vb, va & !vb, va & vb];
                let mut mixed = [(0, 0); 4];
                let mut count = 0;
                for cell in cells {
                    if on & cell != 0 && off & cell != 0 {
                        mixed[count] = (on & cell, off & cell);
                        count += 1;
                    }
                }
                for &c in &candidates[..j] {
                    let vc = self.values[usize::from(c)];
                    let splits = mixed[..count].iter().all(|(on, off)| {
                        (on & vc == 0 || off & vc == 0) && (on & !vc == 0 || off & !vc == 0)
                    });
                    if splits && not.is_none_or(|gate| gate.inputs != [a, b, c]) {
                        pick.offer([a, b, c], random);
                    }
                }
            }
        }
        let inputs = pick.kept?;
        let [a, b, c] = inputs.map(|node| self.values[usize::from(node)]);
        let mut table = 0;
        for row in 0..8_u8 {
            let side = |bit: u8, value: u64| if row >> bit & 1 == 1 { value } else { !value };
            let cell = side(2, a) & side(1, b) & side(0, c);
            let free = cell & care == 0;
            if cell & on != 0 || free && random.below(2) == 0 {
                table |= 1 << row;
            }
        }
        Some(Gate { table, inputs })
    }

    /// Kwan's recursion: a node that gives `target` within `care`, by as few gates more as can be
    /// had, `limit` gates in all at most.
    fn build(
        &mut self,
        goal: &Goal,
        (target, care): (u64, u64),
        used: u32,
        limit: usize,
        random: &mut Random,
    ) -> Option<u8> {
        let there = self.values.iter().position(|value| (value ^ target) & care == 0);
        if let Some(node) = there {
            return Some(node as u8);
        }
        if self.gates.len() >= limit {
            return None;
        }
        let all: Vec<u8> = (0..self.values.len()).map(|node| node as u8).collect();
        if let Some(gate) = self.fit(&all, target, care, None, random) {
            return Some(self.add(gate));
        }
        if self.gates.len() + 1 >= limit {
            return None;
        }
        if used != 0
            && let Some(node) = self.build_two(&all, target, care, random)
        {
            return Some(node);
        }
        let splits = self.inputs - usize::from(goal.constant);
        let mut free: Vec<usize> = (0..splits).filter(|input| used >> input & 1 == 0).collect();
        let width = match used.count_ones() {
            0 => 6,
            1 => 4,
            2 => 2,
            _ => 1,
        };
        let mut best: Option<(Self, u8)> = None;
        for _ in 0..width.min(free.len()) {
            let input = free.swap_remove(random.below(free.len()));
            let limit = best.as_ref().map_or(limit, |(best, _)| best.gates.len() - 1);
            let mut split = self.clone();
            if let Some(node) = split.split(goal, (target, care), input, used, limit, random) {
                best = Some((split, node));
            }
        }
        let (found, node) = best?;
        *self = found;
        Some(node)
    }

    /// The two halves at an input, and what chooses between them.
    fn split(
        &mut self,
        goal: &Goal,
        (target, care): (u64, u64),
        input: usize,
        used: u32,
        limit: usize,
        random: &mut Random,
    ) -> Option<u8> {
        let (value, used, input) = (self.values[input], used | 1 << input, input as u8);
        let inverted = random.below(2) == 1;
        let (first, second) = if inverted { (value, !value) } else { (!value, value) };
        let choosing = if self.kind == Kind::Three { 1 } else { 2 };
        let within = limit.checked_sub(choosing)?;
        let a = self.build(goal, (target, care & first), used, within, random)?;
        if self.kind == Kind::Three {
            let b = self.build(goal, (target, care & second), used, within, random)?;
            let (zero, one) = if inverted { (b, a) } else { (a, b) };
            return Some(self.add(Gate { table: 0xca, inputs: [input, one, zero] }));
        }
        let left = target ^ self.values[usize::from(a)];
        let b = self.build(goal, (left, care & second), used, within, random)?;
        let chosen = self.add(Gate { table: u8::from(inverted), inputs: [b, input, b] });
        Some(self.add(Gate { table: 3, inputs: [a, chosen, a] }))
    }

    /// Two gates that give `target` within `care`.
    fn build_two(&mut self, all: &[u8], target: u64, care: u64, random: &mut Random) -> Option<u8> {
        for _ in 0..40 {
            let (outer, inner_target, inner_care) = self.outer(all, target, care, random)?;
            if let Some(inner) = self.fit(all, inner_target, inner_care, None, random) {
                let inner = self.add(inner);
                let inputs = outer.inputs.map(|input| if input == u8::MAX { inner } else { input });
                let mut table = outer.table;
                if self.kind == Kind::Three {
                    let read = inputs.map(|input| self.values[usize::from(input)]);
                    table = immediate(read, target, care, random)?;
                }
                return Some(self.add(Gate { table, inputs }));
            }
        }
        None
    }

    /// Drops gates that nothing reads and gates that repeat another, and puts the rest in order.
    fn tidied(&self, domain: u64) -> Self {
        let mut tidied = Self {
            kind: self.kind,
            values: self.values[..self.inputs].to_vec(),
            inputs: self.inputs,
            gates: Vec::with_capacity(self.gates.len()),
            outputs: [0; 4],
        };
        let mut places = vec![u8::MAX; self.values.len()];
        for (node, place) in places.iter_mut().enumerate().take(self.inputs) {
            *place = node as u8;
        }
        for (at, &output) in self.outputs.iter().enumerate() {
            tidied.outputs[at] = tidied.take(self, output, &mut places, domain);
        }
        tidied
    }

    fn take(&mut self, from: &Self, node: u8, places: &mut [u8], domain: u64) -> u8 {
        let at = usize::from(node);
        if places[at] == u8::MAX {
            let gate = from.gates[at - from.inputs];
            let inputs = gate.inputs.map(|input| self.take(from, input, places, domain));
            let gate = Gate { table: gate.table, inputs };
            let value = self.value(&gate);
            let same = self.values.iter().position(|other| (other ^ value) & domain == 0);
            places[at] = match same {
                Some(node) => node as u8,
                None => self.add(gate),
            };
        }
        places[at]
    }

    /// One step of the walk: a tidied circuit with one gate replaced, or none.
    fn step(&self, goal: &Goal, random: &mut Random) -> Option<Self> {
        let place = random.below(self.gates.len());
        let node = self.inputs + place;
        let target = self.values[node];
        // Where the outputs can tell: turn the gate over and look.
        let mut turned = self.values.clone();
        turned[node] = !target;
        let mut depends = vec![false; self.values.len()];
        depends[node] = true;
        for (gate, at) in self.gates[place + 1..].iter().zip(node + 1..) {
            if gate.inputs.iter().any(|&input| depends[usize::from(input)]) {
                depends[at] = true;
                let read = gate.inputs.map(|input| turned[usize::from(input)]);
                turned[at] = evaluate(self.kind, gate.table, read);
            }
        }
        let care = self.outputs.iter().fold(0, |care, &output| {
            care | self.values[usize::from(output)] ^ turned[usize::from(output)]
        }) & goal.domain;
        let candidates: Vec<u8> =
            (0..depends.len()).filter(|&at| !depends[at]).map(|at| at as u8).collect();
        let there = candidates
            .iter()
            .find(|&&other| (self.values[usize::from(other)] ^ target) & care == 0);
        let mut changed = self.clone();
        if let Some(&other) = there {
            for gate in &mut changed.gates {
                gate.inputs =
                    gate.inputs.map(|input| if usize::from(input) == node { other } else { input });
            }
            for output in &mut changed.outputs {
                if usize::from(*output) == node {
                    *output = other;
                }
            }
        } else if random.below(3) == 0 {
            let not = Some(self.gates[place]);
            changed.gates[place] = self.fit(&candidates, target, care, not, random)?;
        } else {
            // Two gates: the outer one at random, the inner one as it must then be.
            let (outer, inner_target, inner_care) =
                self.outer(&candidates, target, care, random)?;
            let inner = self.fit(&candidates, inner_target, inner_care, None, random)?;
            let inner = changed.add(inner);
            let inputs = outer.inputs.map(|input| if input == u8::MAX { inner } else { input });
            let mut table = outer.table;
            if self.kind == Kind::Three {
                let read = inputs.map(|input| changed.values[usize::from(input)]);
                table = immediate(read, target, care, random)?;
            }
            changed.gates[place] = Gate { table, inputs };
        }
        let tidied = changed.tidied(goal.domain);
        // The walk is right only if it stays so.
        let right =
            goal.outputs.iter().zip(tidied.outputs).all(|(output, node)| {
                (output ^ tidied.values[usize::from(node)]) & goal.domain == 0
            });
        right.then_some(tidied)
    }

    /// An outer gate with a hole (`u8::MAX`), and what must fill it.
    fn outer(
        &self,
        candidates: &[u8],
        target: u64,
        care: u64,
        random: &mut Random,
    ) -> Option<(Gate, u64, u64)> {
        let any = |random: &mut Random| candidates[random.below(candidates.len())];
        const HOLE: u8 = u8::MAX;
        let (on, off) = (target & care, !target & care);
        if self.kind == Kind::Two {
            // One of those that can be; most cannot.
            let mut pick = Pick::new();
            for &c in candidates {
                let vc = self.values[usize::from(c)];
                let mut offer = |table, inputs, inner_target, inner_care| {
                    pick.offer((Gate { table, inputs }, inner_target, inner_care), random);
                };
                offer(3, [HOLE, c, c], target ^ vc, care);
                if on & !vc == 0 {
                    offer(0, [HOLE, c, c], target, care & vc);
                    offer(1, [c, HOLE, c], !target, care & vc);
                }
                if on & vc == 0 {
                    offer(1, [HOLE, c, c], target, care & !vc);
                }
                if off & vc == 0 {
                    offer(2, [HOLE, c, c], target, care & !vc);
                }
            }
            return pick.kept;
        }
        let (c, d) = (any(random), any(random));
        if c == d {
            return None;
        }
        let (vc, vd) = (self.values[usize::from(c)], self.values[usize::from(d)]);
        let (mut inner_target, mut inner_care) = (0, 0);
        for cell in [!vc & !vd, !vc & vd, vc & !vd, vc & vd] {
            if on & cell != 0 && off & cell != 0 {
                inner_care |= care & cell;
                inner_target |= if random.below(2) == 0 { on & cell } else { off & cell };
            }
        }
        Some((Gate { table: 0, inputs: [HOLE, c, d] }, inner_target, inner_care))
    }
}

/// The immediate of a three-input gate that gives `target` within `care`.
fn immediate([a, b, c]: [u64; 3], target: u64, care: u64, random: &mut Random) -> Option<u8> {
    let mut table = 0;
    for row in 0..8_u8 {
        let side = |bit: u8, value: u64| if row >> bit & 1 == 1 { value } else { !value };
        let cell = side(2, a) & side(1, b) & side(0, c) & care;
        let (on, off) = (cell & target != 0, cell & !target != 0);
        if on && off {
            return None;
        }
        if on || !off && random.below(2) == 0 {
            table |= 1 << row;
        }
    }
    Some(table)
}

// --------------------------------------------------------------------------------------- search

/// Circuits built before each walk.
const BUILDS: usize = 150;

/// Steps of a walk without a smaller circuit until it is given up.
const fn patience(kind: Kind) -> usize {
    match kind {
        Kind::Two => 400_000,
        Kind::Three => 60_000,
    }
}

/// The smallest of some circuits that Kwan's recursion builds.
fn built(kind: Kind, goal: &Goal, random: &mut Random) -> Circuit {
    let mut best: Option<Circuit> = None;
    for _ in 0..BUILDS {
        let mut circuit = Circuit::new(kind, goal);
        let mut order = [0, 1, 2, 3];
        for at in (1..4).rev() {
            order.swap(at, random.below(at + 1));
        }
        let limit = best.as_ref().map_or(120, |best| best.gates.len() - 1);
        let done = order.into_iter().all(|output| {
            let wanted = (goal.outputs[output], goal.domain);
            let node = circuit.build(goal, wanted, 0, limit, random);
            circuit.outputs[output] = node.unwrap_or_default();
            node.is_some()
        });
        if done {
            let tidied = circuit.tidied(goal.domain);
            if best.as_ref().is_none_or(|best| tidied.gates.len() < best.gates.len()) {
                best = Some(tidied);
            }
        }
    }
    best.expect("a limit of 120 gates is not reached")
}

fn search(kind: Kind, goal: &Goal, tries: u64, seed: u64) -> Circuit {
    let mut best: Option<Circuit> = None;
    for attempt in 0..tries {
        let mut random = Random(seed ^ attempt.wrapping_mul(0xd134_2543_de82_ef95));
        let mut current = built(kind, goal, &mut random);
        let mut smallest = current.clone();
        let mut idle = 0;
        while idle < patience(kind) {
            idle += 1;
            let Some(next) = current.step(goal, &mut random) else { continue };
            let (now, then) = (current.gates.len(), next.gates.len());
            // One more gate now and then, to come by another way.
            if then <= now
                || then <= smallest.gates.len() + 2 && then == now + 1 && random.below(200) == 0
            {
                current = next;
            }
            if current.gates.len() < smallest.gates.len() {
                smallest = current.clone();
                idle = 0;
            }
        }
        if best.as_ref().is_none_or(|best| smallest.gates.len() < best.gates.len()) {
            eprintln!("{kind:?} {}: {} gates in try {attempt}", goal.name, smallest.gates.len());
            best = Some(smallest);
        }
    }
    let best = best.expect("at least one try");
    in_order(&best, &mut Random(seed))
}

/// The same gates in an order in which few values are alive at a time: registers are few.
fn in_order(circuit: &Circuit, random: &mut Random) -> Circuit {
    let count = circuit.gates.len();
    let mut best: Option<((usize, usize), Vec<usize>)> = None;
    for _ in 0..20_000 {
        let mut readers = vec![0_usize; circuit.values.len()];
        for gate in &circuit.gates {
            for node in distinct(gate.inputs) {
                readers[node] += 1;
            }
        }
        for &output in &circuit.outputs {
            readers[usize::from(output)] += 1;
        }
        let mut done: Vec<bool> = (0..circuit.values.len()).map(|at| at < circuit.inputs).collect();
        let (mut alive, mut most, mut sum) = (circuit.inputs, 0, 0);
        let mut order = Vec::with_capacity(count);
        while order.len() < count {
            let mut choice: Option<(usize, usize)> = None;
            let mut seen = 0;
            for (at, gate) in circuit.gates.iter().enumerate() {
                let inputs = distinct(gate.inputs);
                if done[circuit.inputs + at] || !inputs.iter().all(|&input| done[input]) {
                    continue;
                }
                let freed = inputs.iter().filter(|&&input| readers[input] == 1).count();
                if choice.is_none_or(|(most, _)| freed > most) {
                    choice = Some((freed, at));
                    seen = 1;
                } else if choice.is_some_and(|(most, _)| freed == most) {
                    seen += 1;
                    if random.below(seen) == 0 {
                        choice = Some((freed, at));
                    }
                }
            }
            let (freed, at) = choice.expect("there is always a gate whose inputs are done");
            for input in distinct(circuit.gates[at].inputs) {
                readers[input] -= 1;
            }
            done[circuit.inputs + at] = true;
            order.push(at);
            alive = alive + 1 - freed;
            most = most.max(alive);
            sum += alive;
        }
        if best.as_ref().is_none_or(|(least, _)| (most, sum) < *least) {
            best = Some(((most, sum), order));
        }
    }
    let (_, order) = best.expect("at least one order");
    let mut places: Vec<u8> = (0..circuit.values.len()).map(|node| node as u8).collect();
    let mut ordered = Circuit {
        kind: circuit.kind,
        values: circuit.values[..circuit.inputs].to_vec(),
        inputs: circuit.inputs,
        gates: Vec::new(),
        outputs: [0; 4],
    };
    for at in order {
        let gate = circuit.gates[at];
        let inputs = gate.inputs.map(|input| places[usize::from(input)]);
        places[circuit.inputs + at] = ordered.add(Gate { table: gate.table, inputs });
    }
    ordered.outputs = circuit.outputs.map(|output| places[usize::from(output)]);
    ordered
}

fn distinct(inputs: [u8; 3]) -> Vec<usize> {
    let mut inputs = inputs.map(usize::from).to_vec();
    inputs.sort_unstable();
    inputs.dedup();
    inputs
}

// ----------------------------------------------------------------------------------------- goals

/// Truth tables of `count` inputs, the first of which is the most significant bit.
fn variables(count: u32) -> Vec<u64> {
    let bit = |bit: u32| (0..64).fold(0, |table, x| table | (x >> bit & 1) << x);
    (0..count).rev().map(bit).collect()
}

fn tables(domain: u64, value: impl Fn(u64) -> u8) -> [u64; 4] {
    let bit = |bit: u8| (0..domain).fold(0, |table, x| table | u64::from(value(x) >> bit & 1) << x);
    [3, 2, 1, 0].map(bit)
}

fn dea(number: usize, kind: Kind) -> (Goal, u8) {
    let value = |x: u64| {
        let (row, column) = (x >> 4 & 2 | x & 1, x >> 1 & 15);
        DEA[number][(row * 16 + column) as usize]
    };
    let inverted = if kind == Kind::Two { value(0) } else { 0 };
    let outputs = tables(64, |x| value(x) ^ inverted);
    let name = format!("s{}", number + 1);
    let domain = u64::MAX;
    (Goal { name, inputs: variables(6), constant: false, outputs, domain }, inverted)
}

fn sta(kind: Kind) -> Goal {
    let value = |x: u64| {
        let [s1, s2] = &STA;
        let table = if x >> 4 == 1 { s1 } else { s2 };
        let from = table.iter().position(|&to| u64::from(to) == x & 15);
        u8::try_from(from.expect("a permutation")).expect("a nibble")
    };
    let mut inputs = variables(5);
    if kind == Kind::Two {
        inputs.push(u64::MAX);
    }
    let constant = kind == Kind::Two;
    let domain = u64::from(u32::MAX);
    Goal { name: "inverse_pair".into(), inputs, constant, outputs: tables(32, value), domain }
}

// ---------------------------------------------------------------------------------------- output

const INPUTS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn print(circuit: &Circuit, goal: &Goal, out: &mut impl Write) -> std::io::Result<()> {
    let count = circuit.inputs - usize::from(goal.constant);
    let name = |node: u8| match usize::from(node) {
        input if input < count => INPUTS[input].to_owned(),
        node => format!("g{}", node - circuit.inputs),
    };
    let one = goal.constant.then_some(count);
    writeln!(out, "    /// {} gates.", circuit.gates.len())?;
    writeln!(out, "    #[inline(always)]")?;
    writeln!(out, "    #[rustfmt::skip]")?;
    let inputs = INPUTS[..count].join(", ");
    writeln!(
        out,
        "    pub(crate) fn {}<W: Word>([{inputs}]: [W; {count}]) -> [W; 4] {{",
        goal.name
    )?;
    for (at, gate) in circuit.gates.iter().enumerate() {
        let [a, b, c] = gate.inputs;
        let text = if circuit.kind == Kind::Three {
            format!("W::lut::<0x{:02x}>({}, {}, {})", gate.table, name(a), name(b), name(c))
        } else if Some(usize::from(b)) == one {
            format!("{}.not()", name(a))
        } else if Some(usize::from(a)) == one {
            format!("{}.not()", name(b))
        } else {
            format!("{}.{}({})", name(a), OPERATIONS[usize::from(gate.table)], name(b))
        };
        writeln!(out, "        let g{at} = {text};")?;
    }
    writeln!(out, "        [{}]", circuit.outputs.map(name).join(", "))?;
    writeln!(out, "    }}")
}

fn main() -> ExitCode {
    let tries = args().nth(1).and_then(|tries| tries.parse().ok()).filter(|&tries| tries > 0);
    let Some(tries) = tries else {
        eprintln!("usage: circuits TRIES");
        return ExitCode::FAILURE;
    };
    match write(tries, &mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn write(tries: u64, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(
        out,
        "//! Circuits of S-boxes, found by `examples/circuits.rs` in {tries} tries each."
    )?;
    writeln!(out, "//!")?;
    writeln!(out, "//! Generated: do not edit. The first input and the first output are the most")?;
    writeln!(out, "//! significant bit.")?;
    let mut all_inverted = [0; 8];
    for kind in [Kind::Two, Kind::Three] {
        let mut boxes: Vec<(Circuit, Goal)> = Vec::new();
        for (number, all) in all_inverted.iter_mut().enumerate() {
            let (goal, inverted) = dea(number, kind);
            *all |= inverted;
            boxes.push((search(kind, &goal, tries, number as u64), goal));
        }
        let goal = sta(kind);
        boxes.push((search(kind, &goal, tries, 8), goal));
        let gates: usize = boxes[..8].iter().map(|(circuit, _)| circuit.gates.len()).sum();
        writeln!(out)?;
        match kind {
            Kind::Two => {
                writeln!(out, "/// Gates of two inputs: {gates} for the boxes of DEA together.")?;
                writeln!(out, "pub(crate) mod two {{")?;
            }
            Kind::Three => {
                writeln!(out, "/// Gates of three inputs: {gates} for the boxes of DEA together.")?;
                writeln!(out, "pub(crate) mod three {{")?;
            }
        }
        writeln!(out, "    use crate::lanes::Word;")?;
        if kind == Kind::Two {
            let list = all_inverted.map(|bits| bits.to_string()).join(", ");
            writeln!(out)?;
            writeln!(out, "    /// The outputs of each box that come out complemented.")?;
            writeln!(out, "    pub(crate) const OUTPUTS_INVERTED: [u8; 8] = [{list}];")?;
        }
        for (circuit, goal) in &boxes {
            writeln!(out)?;
            print(circuit, goal, out)?;
        }
        writeln!(out, "}}")?;
    }
    Ok(())
}
