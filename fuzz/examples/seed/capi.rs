//! Calls of the C interface, in the layout that the `arbitrary` crate reads.

use super::Seed;

/// Bytes as they are read: numbers from the lowest byte, a variant of `n` as a share of 2^32.
#[derive(Clone, Default)]
struct Program(Vec<u8>);

/// Calls by their places in the target's list.
const CALLS: u64 = 20;
const RIGHT: u64 = 0;
const NULL: u64 = 3;
const MISALIGNED: u64 = 4;

impl Program {
    /// The standard's profile with a lock-out after `lockout` wrong entries.
    fn new(lockout: u8) -> Self {
        let mut program = Self::default();
        program.0.extend([u8::from(lockout > 0)]);
        if lockout > 0 {
            program.0.extend(60_u16.to_le_bytes());
        }
        program.0.push(0);
        program.0.extend(0x7_FFFF_u64.to_le_bytes());
        program.0.extend(0_u64.to_le_bytes());
        program.0.extend(300_u32.to_le_bytes());
        program.0.extend(0x0400_u16.to_le_bytes());
        program.0.extend([15, 0xFF, 0x1C, 0, 1, lockout]);
        program
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn variant(self, place: u64, of: u64) -> Self {
        let share = ((place << 32) + (1 << 31)) / of;
        self.bytes(&(share as u32).to_le_bytes())
    }

    fn call(self, place: u64) -> Self {
        self.variant(place, CALLS)
    }

    fn pointers(self, pointers: &[u64]) -> Self {
        pointers.iter().fold(self, |program, pointer| program.variant(*pointer, 5))
    }

    fn init(self, ea: u8, key: u8) -> Self {
        self.call(0)
            .pointers(&[RIGHT])
            .bytes(&600_457_u32.to_le_bytes())
            .bytes(&[0; 4])
            .bytes(&[0, 0, 2, ea, 1, 7, 2, 255, 1])
            .bytes(&[key; 16])
            .bytes(&[16, 0])
    }

    fn credit(self, tid: u32, amount: u16) -> Self {
        self.variant(1, 4)
            .bytes(&[0])
            .bytes(&tid.to_le_bytes())
            .bytes(&amount.to_le_bytes())
            .bytes(&[1])
    }

    fn section(self, which: u8) -> Self {
        let sgc = 123_456_u32.to_le_bytes();
        self.variant(2, 4).bytes(&[0x77]).bytes(&sgc).bytes(&[2, 7, 2, 3, which])
    }

    fn now(self, now: u64) -> Self {
        self.bytes(&now.to_le_bytes())
    }

    fn enter_credit(self, tid: u32, amount: u16, now: u64) -> Self {
        self.call(2).pointers(&[RIGHT]).credit(tid, amount).now(now).pointers(&[RIGHT])
    }

    fn save_credit(self, tid: u32, amount: u16) -> Self {
        let program = self.call(3).pointers(&[RIGHT, RIGHT]).credit(tid, amount);
        program.now(0).pointers(&[RIGHT])
    }

    fn store(self) -> Self {
        let opened = self.call(11).pointers(&[RIGHT, RIGHT]).bytes(&1024_u16.to_le_bytes());
        opened.bytes(&[0]).call(12).pointers(&[RIGHT, RIGHT])
    }

    fn restore(self) -> Self {
        self.call(14).pointers(&[RIGHT, RIGHT]).bytes(&[0, 0, 2])
    }
}

pub(super) fn seeds() -> Vec<Seed> {
    let new = || Program::new(0);
    let sections = |program: Program, ea| {
        (0..4).fold(program.init(ea, 0x11), |program, which| {
            program.call(2).pointers(&[RIGHT]).section(which).now(10).pointers(&[RIGHT])
        })
    };
    let seeds = [
        ("profile-alone", new()),
        ("credit-twice", new().init(0, 0x11).enter_credit(9, 100, 0).enter_credit(9, 100, 0)),
        ("credit-under-ea09", new().init(1, 0x11).enter_credit(9, 0xFFFF, 0)),
        ("credit-under-ea11", new().init(2, 0x11).enter_credit(9, 0xFFFF, 0)),
        ("key-change-of-three", sections(new(), 0)),
        ("key-change-of-four", sections(new(), 2)),
        ("credit-without-a-meter", new().enter_credit(9, 100, 0)),
        (
            "preview-then-null-answer",
            new().init(0, 0x11).call(1).pointers(&[RIGHT]).credit(9, 1).now(0).pointers(&[NULL]),
        ),
        (
            "enter-at-a-misaligned-meter",
            new().init(0, 0x11).call(2).pointers(&[MISALIGNED]).credit(9, 1).now(0).pointers(&[0]),
        ),
        (
            "credits-saved-and-restored",
            new().init(0, 0x11).store().save_credit(9, 100).save_credit(10, 100).restore(),
        ),
        (
            "storage-fails-while-saving",
            new().init(0, 0x11).store().call(15).bytes(&[50]).save_credit(9, 100).restore(),
        ),
        ("storage-damaged", new().init(0, 0x11).store().call(16).bytes(&[0, 9, 0x55]).restore()),
        ("saved-without-a-store", new().init(0, 0x11).save_credit(9, 100)),
        (
            "remembered-out-of-range",
            new().init(0, 0x11).call(8).pointers(&[RIGHT]).bytes(&[255; 4]),
        ),
        (
            "display-without-room",
            new()
                .init(0, 0x11)
                .call(4)
                .pointers(&[RIGHT])
                .bytes(&[1])
                .now(0)
                .bytes(&[1])
                .pointers(&[0]),
        ),
        ("names-of-results", (0..22).fold(new(), |it, n| it.call(19).bytes(&[n, n]))),
    ];
    let named = |(name, program): (&str, Program)| ("capi", name.to_owned(), program.0);
    seeds.map(named).into()
}
