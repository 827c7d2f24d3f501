//! One token under many keys at once: in bit planes where the ciphers have them, else one by one.
//!
//! Planes only propose: what they find is opened again by the core, whose answer counts.

use std::collections::BTreeMap;

use sts_batch::{
    Batch, Cipher, Dkga04Cipher, Dkga04Group, Dkga04Key, Group, Hit, KeyPlanes, Question,
};
use sts_core::key::{EncryptionAlgorithm, KeyAttributes, control_block};
use sts_core::{
    DecoderKey, KeyDerivation, KeyExpiryNumber, MeterPan, Payload, TariffIndex, Token, crc,
};

use crate::keys::VendingEntry;

/// A configuration in which a token may have been made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Configuration<'a> {
    pub(crate) entry: &'a VendingEntry,
    pub(crate) ti: TariffIndex,
    pub(crate) ea: EncryptionAlgorithm,
}

impl Configuration<'_> {
    pub(super) fn attributes(&self) -> KeyAttributes {
        let Self { entry, ti, .. } = *self;
        let (sgc, krn, kt) = (entry.sgc, entry.krn, entry.kt);
        KeyAttributes { sgc, krn, ti, kt, ken: KeyExpiryNumber::NEVER }
    }

    pub(crate) fn key(&self, pan: &MeterPan) -> Option<DecoderKey> {
        self.entry.key.derive(pan, self.ea, &self.attributes(), self.entry.base_date).ok()
    }

    /// The same with the tariff index that groups are told with.
    fn any_tariff(self) -> Self {
        Self { ti: TariffIndex::MIN, ..self }
    }

    /// The vending key of DKGA04.
    fn long_key(&self) -> Option<Dkga04Key> {
        let is_long = self.entry.key.dkga() == KeyDerivation::Dkga04;
        let bytes = is_long.then(|| self.entry.key.expose_bytes().try_into().ok());
        bytes.flatten().map(Dkga04Key::new)
    }

    /// The two 64-bit numbers that DKGA02 derives from.
    fn group(&self, pan: &MeterPan) -> Option<Group> {
        if self.entry.key.dkga() != KeyDerivation::Dkga02 {
            return None;
        }
        let vending = self.entry.key.expose_bytes().try_into().map(u64::from_be_bytes).ok()?;
        let attributes = self.attributes();
        let block = pan.block(attributes.kt) ^ control_block(&attributes);
        Some(Group { vending, block })
    }
}

/// The cipher of an algorithm, where planes have it.
pub(super) const fn in_planes(ea: EncryptionAlgorithm) -> Option<Cipher> {
    match ea {
        EncryptionAlgorithm::Sta => Some(Cipher::Sta),
        EncryptionAlgorithm::Dea => Some(Cipher::Dea),
        _ => None,
    }
}

/// The bits of a key that goes into planes.
pub(super) fn plane_key(key: &DecoderKey) -> Option<(Cipher, u64)> {
    let cipher = in_planes(key.ea())?;
    Some((cipher, u64::from_be_bytes(key.expose_bytes().try_into().ok()?)))
}

/// What a token asks of planes.
pub(super) fn question(token: Token) -> Question {
    Question { class_bits: token.class().bits(), block: token.block() }
}

/// A candidate under which a token authenticates.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    /// Which candidate.
    pub(crate) index: usize,
    pub(super) key: DecoderKey,
    pub(crate) payload: Payload,
}

fn opened(token: Token, index: usize, key: Option<DecoderKey>) -> Option<Opened> {
    let key = key?;
    let payload = token.open(&key).authenticate().ok()?;
    Some(Opened { index, key, payload })
}

/// Opens a token under each of many configurations, of one meter number each.
pub(crate) fn open_under(
    batch: Batch,
    token: Token,
    candidates: &[(Configuration<'_>, MeterPan)],
) -> Vec<Opened> {
    let key = |index: usize| {
        let (configuration, pan) = &candidates[index];
        configuration.key(pan)
    };
    let mut found = Vec::new();
    let mut rows = [(); 2].map(|()| (Vec::new(), Vec::new(), Vec::new()));
    for (index, (configuration, pan)) in candidates.iter().enumerate() {
        match (configuration.group(pan), in_planes(configuration.ea)) {
            (Some(group), Some(cipher)) => {
                let (indices, vending, blocks) = &mut rows[cipher as usize];
                indices.push(index);
                vending.push(group.vending);
                blocks.push(group.block);
            }
            _ => found.extend(opened(token, index, key(index))),
        }
    }
    let mut hits = Vec::new();
    for (cipher, (indices, vending, blocks)) in [Cipher::Sta, Cipher::Dea].into_iter().zip(&rows) {
        hits.clear();
        batch.search_blocks(&question(token), cipher, vending, blocks, &mut hits);
        let index = |hit: &Hit| indices[hit.index];
        found.extend(hits.iter().filter_map(|hit| opened(token, index(hit), key(index(hit)))));
    }
    found.sort_by_key(|opened| opened.index);
    found
}

/// Opens a token under each of many configurations of one meter, with every tariff index in the
/// place of its own: candidate `100 * n + ti`.
pub(crate) fn open_under_tariffs(
    batch: Batch,
    token: Token,
    pan: &MeterPan,
    configurations: &[Configuration<'_>],
) -> Vec<Opened> {
    let all = |place: usize| TARIFFS * place..TARIFFS * (place + 1);
    let mut proposed = Vec::new();
    let mut propose = |places: &[usize], hits: Vec<Hit>| {
        proposed.extend(hits.iter().map(|hit| {
            let (group, ti) = hit.tariff();
            all(places[group]).start + usize::from(ti)
        }));
    };
    for cipher in [Cipher::Sta, Cipher::Dea] {
        let of_cipher = configurations.iter().enumerate();
        let of_cipher = of_cipher.filter(|(_, it)| in_planes(it.ea) == Some(cipher));
        let (places, groups): (Vec<usize>, Vec<Group>) =
            of_cipher.filter_map(|(place, it)| Some((place, it.any_tariff().group(pan)?))).unzip();
        let mut hits = Vec::new();
        batch.search_tariffs(&question(token), cipher, &groups, &mut hits);
        propose(&places, hits);
    }
    for (ea, cipher) in [
        (EncryptionAlgorithm::Sta, Dkga04Cipher::Sta),
        (EncryptionAlgorithm::Misty1, Dkga04Cipher::Misty1),
    ] {
        let of_cipher = configurations.iter().enumerate().filter(|(_, it)| it.ea == ea);
        let (places, keys): (Vec<usize>, Vec<Dkga04Key>) =
            of_cipher.filter_map(|(place, it)| Some((place, it.long_key()?))).unzip();
        let group = |(place, key)| {
            let it: Configuration<'_> = configurations[place];
            Dkga04Group::new(key, pan, cipher, &it.attributes(), it.entry.base_date)
        };
        let groups: Vec<Dkga04Group<'_>> = places.iter().copied().zip(&keys).map(group).collect();
        let mut hits = Vec::new();
        batch.search_tariffs_dkga04(&question(token), cipher, &groups, &mut hits);
        propose(&places, hits);
    }
    for (place, it) in configurations.iter().enumerate() {
        let is_done = match it.entry.key.dkga() {
            KeyDerivation::Dkga02 => in_planes(it.ea).is_some(),
            KeyDerivation::Dkga04 => it.ea != EncryptionAlgorithm::Dea,
            _ => false,
        };
        if !is_done {
            proposed.extend(all(place));
        }
    }
    proposed.sort_unstable();
    let open = |index: usize| {
        let ti = tariff_index(index % TARIFFS)?;
        let configuration = Configuration { ti, ..configurations[index / TARIFFS] };
        opened(token, index, configuration.key(pan))
    };
    proposed.into_iter().filter_map(open).collect()
}

/// How many tariff indices there are.
pub(crate) const TARIFFS: usize = 100;

pub(crate) fn tariff_index(ti: usize) -> Option<TariffIndex> {
    u8::try_from(ti).ok().and_then(|ti| TariffIndex::new(ti).ok())
}

/// Opens many tokens, each told with its place, under one key.
pub(super) fn open_many(
    batch: Batch,
    tokens: &[(usize, Token)],
    key: &DecoderKey,
) -> Vec<(usize, Payload)> {
    let open = |(place, token): (usize, Token)| {
        let encrypted = token.class().is_encrypted();
        encrypted.then(|| token.open(key).authenticate().ok()).flatten().map(|it| (place, it))
    };
    let Some((cipher, bits)) = plane_key(key).filter(|_| tokens.len() >= FEW) else {
        return tokens.iter().copied().filter_map(open).collect();
    };
    let blocks: Vec<u64> = tokens.iter().map(|(_, token)| token.block()).collect();
    let mut plain = vec![0; blocks.len()];
    batch.decrypt_under(cipher, bits, &blocks, &mut plain);
    // Either check will do for a proposal.
    let may_hold = |token: Token, plain: u64| {
        let class = token.class().bits();
        [crc::crc(class, plain), crc::crc_c(class, plain)]
            .map(u64::from)
            .contains(&(plain & 0xffff))
    };
    let proposed = tokens.iter().zip(plain).filter(|(row, plain)| may_hold(row.1, *plain));
    proposed.filter_map(|(row, _)| open(*row)).collect()
}

/// Fewer tokens, or keys, than that are not worth planes.
const FEW: usize = 32;

/// Opens each of many tokens under each of many keys: the place of the token, the index of the
/// key.
pub(super) fn open_each(
    batch: Batch,
    tokens: &[(usize, Token)],
    keys: &[DecoderKey],
) -> Vec<(usize, usize, Payload)> {
    if keys.len() < FEW {
        let under = |(index, key)| {
            let opened = open_many(batch, tokens, key).into_iter();
            opened.map(move |(place, payload)| (place, index, payload))
        };
        return keys.iter().enumerate().flat_map(under).collect();
    }
    let bundle = KeyBundle::new(batch, keys.iter().cloned().map(Some));
    let mut found = Vec::new();
    for (place, token) in tokens.iter().filter(|(_, token)| token.class().is_encrypted()) {
        for index in bundle.propose(*token) {
            if let Ok(payload) = token.open(&keys[index]).authenticate() {
                found.push((*place, index, payload));
            }
        }
    }
    found
}

/// Keys that are tried on one token after another. What is found is a proposal.
#[derive(Debug)]
pub(super) struct KeyBundle {
    batch: Batch,
    count: usize,
    /// By cipher; at the place of a key of another cipher there is none that is meant.
    planes: [Option<KeyPlanes>; 2],
    /// Keys of ciphers that planes do not have, by their place.
    others: BTreeMap<usize, DecoderKey>,
}

impl KeyBundle {
    pub(super) fn new(
        batch: Batch,
        keys: impl ExactSizeIterator<Item = Option<DecoderKey>>,
    ) -> Self {
        let count = keys.len();
        let mut bits = [None, None];
        let mut others = BTreeMap::new();
        for (index, key) in keys.enumerate() {
            let Some(key) = key else { continue };
            match plane_key(&key) {
                Some((cipher, key)) => {
                    bits[cipher as usize].get_or_insert_with(|| vec![0; count])[index] = key;
                }
                None => {
                    others.insert(index, key);
                }
            }
        }
        let planes = bits.map(|bits| bits.map(|bits| batch.key_planes(&bits)));
        Self { batch, count, planes, others }
    }

    /// Puts another key in the place of one.
    pub(super) fn set(&mut self, index: usize, key: DecoderKey) {
        let Some((cipher, bits)) = plane_key(&key) else {
            self.others.insert(index, key);
            return;
        };
        self.planes[cipher as usize]
            .get_or_insert_with(|| self.batch.key_planes(&vec![0; self.count]))
            .set(index, bits);
    }

    /// The keys under which a token may authenticate, in order.
    pub(super) fn propose(&self, token: Token) -> Vec<usize> {
        let authentic = |key: &DecoderKey| token.open(key).authenticate().is_ok();
        let others = self.others.iter().filter(|(_, key)| authentic(key));
        let mut proposed: Vec<usize> = others.map(|(index, _)| *index).collect();
        let mut hits = Vec::new();
        for (cipher, planes) in [Cipher::Sta, Cipher::Dea].into_iter().zip(&self.planes) {
            if let Some(planes) = planes {
                planes.open(&question(token), cipher, &mut hits);
            }
        }
        proposed.extend(hits.iter().map(|hit| hit.index));
        proposed.sort_unstable();
        proposed.dedup();
        proposed
    }
}

#[cfg(test)]
mod tests {
    use sts_core::{Commodity, CurrencyAmount, TokenId};

    use super::*;
    use crate::fixture::{case, credit};

    const ALGORITHMS: [EncryptionAlgorithm; 3] =
        [EncryptionAlgorithm::Sta, EncryptionAlgorithm::Dea, EncryptionAlgorithm::Misty1];

    fn ti(ti: usize) -> TariffIndex {
        tariff_index(ti).unwrap()
    }

    /// Every held key with every algorithm, under a tariff index.
    fn configurations(ring: &[VendingEntry], ti: TariffIndex) -> Vec<Configuration<'_>> {
        let of = |entry| ALGORITHMS.map(|ea| Configuration { entry, ti, ea });
        ring.iter().flat_map(of).collect()
    }

    fn shown(found: &[Opened]) -> Vec<(usize, Payload)> {
        found.iter().map(|opened| (opened.index, opened.payload)).collect()
    }

    /// The same, one key after another.
    fn one_by_one(
        token: Token,
        keys: impl Iterator<Item = Option<DecoderKey>>,
    ) -> Vec<(usize, Payload)> {
        let open = |(index, key)| opened(token, index, key);
        shown(&keys.enumerate().filter_map(open).collect::<Vec<_>>())
    }

    #[test]
    fn candidates_are_opened_as_one_by_one() {
        let case = case();
        let mut candidates = Vec::new();
        for meter in &case.fleet.meters {
            for tariff in [ti(1), ti(70)] {
                let all = configurations(&case.keys.vending, tariff);
                candidates.extend(all.into_iter().map(|it| (it, meter.row.pan)));
            }
        }
        let mut tried = 0;
        for (index, (configuration, pan)) in candidates.iter().enumerate() {
            let Some(key) = configuration.key(pan) else { continue };
            let token = Token::seal(&credit(), &key);
            let found = shown(&open_under(Batch::new(), token, &candidates));
            assert!(found.contains(&(index, credit())), "{configuration:?} of {}", pan.drn());
            let keys = candidates.iter().map(|(configuration, pan)| configuration.key(pan));
            assert_eq!(found, one_by_one(token, keys));
            tried += 1;
        }
        // DKGA02 derives for two algorithms, DKGA04 for three.
        assert_eq!(tried, 4 * 2 * (2 + 3 + 2));
    }

    #[test]
    fn tariffs_are_opened_as_one_by_one() {
        let case = case();
        let pan = case.fleet.meters[0].row.pan;
        // The tariff index of the configuration itself does not matter.
        let configurations = configurations(&case.keys.vending, ti(33));
        let with = |index: usize| {
            let configuration = configurations[index / TARIFFS];
            Configuration { ti: ti(index % TARIFFS), ..configuration }.key(&pan)
        };
        for (place, configuration) in configurations.iter().enumerate() {
            for tariff in [0, 9, 10, 57, 99] {
                let Some(key) = with(TARIFFS * place + tariff) else { continue };
                let token = Token::seal(&credit(), &key);
                let found = open_under_tariffs(Batch::new(), token, &pan, &configurations);
                let found = shown(&found);
                assert!(found.contains(&(TARIFFS * place + tariff, credit())), "{configuration:?}");
                let keys = (0..TARIFFS * configurations.len()).map(with);
                assert_eq!(found, one_by_one(token, keys));
            }
        }
    }

    /// Tokens of both checks, under this key and another, and one that is open.
    fn tokens(key: &DecoderKey, other: &DecoderKey, count: usize) -> Vec<(usize, Token)> {
        let (commodity, tid) = (Commodity::Water, TokenId::new(12_345_678).unwrap());
        let amount = CurrencyAmount::round_up(12_300).unwrap();
        let money = Payload::CurrencyCredit { commodity, tid, amount };
        let open = Token::parse("00000000001509949440").unwrap();
        let four = [
            Token::seal(&credit(), key),
            Token::seal(&money, key),
            Token::seal(&credit(), other),
            open,
        ];
        four.into_iter().cycle().take(count).enumerate().map(|(at, it)| (at + 7, it)).collect()
    }

    #[test]
    fn many_tokens_and_keys_are_opened_as_one_by_one() {
        let case = case();
        let pan = case.fleet.meters[0].row.pan;
        for ea in ALGORITHMS {
            let of = |tariff| {
                Configuration { entry: &case.keys.vending[1], ti: ti(tariff), ea }.key(&pan)
            };
            let keys: Vec<DecoderKey> = (0..40).filter_map(of).collect();
            // Few and many of each.
            for (of_tokens, of_keys) in [(5, 3), (5, 40), (50, 3), (50, 40)] {
                let (tokens, keys) = (tokens(&keys[2], &keys[1], of_tokens), &keys[..of_keys]);
                let mut expected = Vec::new();
                for (index, key) in keys.iter().enumerate() {
                    let encrypted = tokens.iter().filter(|(_, it)| it.class().is_encrypted());
                    let open = |(place, token): &(usize, Token)| {
                        Some((*place, opened(*token, index, Some(key.clone()))?.payload))
                    };
                    let under: Vec<_> = encrypted.filter_map(open).collect();
                    assert_eq!(open_many(Batch::new(), &tokens, key), under, "{ea:?}, key {index}");
                    expected.extend(under.into_iter().map(|(place, it)| (place, index, it)));
                }
                let mut found = open_each(Batch::new(), &tokens, keys);
                found.sort_by_key(|(place, index, _)| (*index, *place));
                assert_eq!(found, expected, "{ea:?}, {of_tokens} tokens, {of_keys} keys");
                assert!(found.len() >= of_tokens * 3 / 4, "{found:?}");
            }
        }
    }

    /// One by one the same would be found, and take a hundred times as long.
    #[test]
    fn keys_go_into_planes_where_planes_have_their_cipher() {
        let case = case();
        let (entry, pan) = (&case.keys.vending[1], &case.fleet.meters[0].row.pan);
        let keys = ALGORITHMS.map(|ea| Configuration { entry, ti: ti(1), ea }.key(pan));
        let bundle = KeyBundle::new(Batch::new(), keys.into_iter());
        assert!(bundle.planes.iter().all(Option::is_some), "{bundle:?}");
        assert_eq!(bundle.others.keys().collect::<Vec<_>>(), [&2], "MISTY1");
    }

    #[test]
    fn bundle_proposes_each_of_its_keys_as_they_stand() {
        let case = case();
        let entry = &case.keys.vending[1];
        let key = |meter: usize, ea| {
            let ti = ti(meter);
            Configuration { entry, ti, ea }.key(&case.fleet.meters[meter].row.pan)
        };
        let proposed = |bundle: &KeyBundle, key: Option<DecoderKey>| {
            bundle.propose(Token::seal(&credit(), &key.unwrap()))
        };
        let [sta, dea, misty1] = ALGORITHMS;
        let keys = [key(0, sta), key(1, dea), None, key(3, misty1), key(0, sta)];
        let mut bundle = KeyBundle::new(Batch::new(), keys.into_iter());
        assert_eq!(proposed(&bundle, key(0, sta)), [0, 4]);
        assert_eq!(proposed(&bundle, key(1, dea)), [1]);
        assert_eq!(proposed(&bundle, key(3, misty1)), [3]);
        assert!(proposed(&bundle, key(2, sta)).is_empty());
        for (ea, at) in [(sta, 2), (dea, 3), (misty1, 4)] {
            bundle.set(at, key(2, ea).unwrap());
            assert!(proposed(&bundle, key(2, ea)).contains(&at), "{ea:?}");
        }
        assert_eq!(proposed(&bundle, key(1, dea)), [1]);
        let mut empty = KeyBundle::new(Batch::new(), [None, None].into_iter());
        assert!(proposed(&empty, key(0, dea)).is_empty());
        empty.set(1, key(0, dea).unwrap());
        assert_eq!(proposed(&empty, key(0, dea)), [1]);
    }
}
