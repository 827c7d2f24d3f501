//! `entries.csv` as a stream and as a whole.

use sts_harness::entries::Entries;
use sts_harness::input::Rejected;
use sts_harness::records::{EntryRow, entries_of};

use crate::{check, scratch};

/// What a stream reads at once.
const BLOCK: usize = 256 << 10;

/// Two bytes that say where a block ends in what follows, 0 for a file of one block, then a file.
///
/// The stream has the rows and the rejected rows of the file read whole, whatever the bytes; sorted
/// it has the same rows.
pub fn entries(data: &[u8]) {
    let Some((&at, file)) = data.split_first_chunk() else { return };
    let plain = file;
    let file = filled(file, usize::from(u16::from_le_bytes(at)));
    let path = scratch::file("entries.csv", &file);
    let whole = entries_of("entries.csv", &file);
    let stream = Entries::open(&path, None);
    let (whole, stream) = match (whole, stream) {
        (Ok(whole), Ok(stream)) => (whole, stream),
        (Err(whole), Err(stream)) => {
            assert_eq!(whole.to_string(), stream.to_string());
            return;
        }
        (whole, stream) => panic!("whole: {whole:?}\nstream: {stream:?}"),
    };
    assert_eq!(whole.header, stream.header());
    let (rows, rejected) = read(stream);
    assert!(rejected == whole.rejected, "{rejected:?}\nwhole: {:?}", whole.rejected);
    assert_eq!(shown(&rows), shown(&whole.rows), "rows");
    if file.len() > plain.len() {
        return;
    }

    let sorted = Entries::open(&path, Some(&scratch::folder())).expect("as above");
    let (sorted, also_rejected) = read(sorted);
    let mut expected = rows;
    expected.sort_by_key(|row| row.entered_at);
    assert_eq!(shown(&sorted), shown(&expected), "rows in time order");
    assert_eq!(also_rejected, rejected);

    let mut written = Vec::new();
    sts_harness::table::write_rejects(&mut written, &whole.header, &rejected).expect("memory");
    assert_eq!(check::table(&written).len(), rejected.len() + 1);
}

fn read(entries: Entries) -> (Vec<EntryRow>, Vec<Rejected>) {
    let (mut rows, mut rejected) = (Vec::new(), Vec::new());
    for batch in entries {
        let batch = batch.expect("a file that can be read");
        rows.extend(batch.rows);
        rejected.extend(batch.rejected);
    }
    (rows, rejected)
}

fn shown(rows: &[EntryRow]) -> Vec<String> {
    rows.iter().map(|row| format!("{row:?}")).collect()
}

/// The file with a long row behind its first line, so that a block ends `at` bytes behind that row.
fn filled(file: &[u8], at: usize) -> Vec<u8> {
    let header = file.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
    match header {
        Some(header) if at > 0 && at < file.len() - header => {
            let row = BLOCK - at - 1;
            [&file[..header], &vec![b'x'; row], b"\n", &file[header..]].concat()
        }
        _ => file.to_vec(),
    }
}
