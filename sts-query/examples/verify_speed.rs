//! Seconds of CPU that [`Functions::verify`] takes for the record batches of an Arrow IPC file: the
//! least of three passes. On Linux.
//!
//! ```sh
//! cargo run --release -p sts-query --example verify_speed -- KEYS FILE
//! ```

use std::error::Error;
use std::fs::{File, read_to_string};
use std::path::Path;

use arrow::array::{RecordBatch, StructArray};
use arrow::ipc::reader::FileReader;
use sts_query::keys::SecretFiles;
use sts_query::{Functions, tables};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [keys, file] = arguments.as_slice() else {
        return Err("expected KEYS and FILE".into());
    };
    let (ring, _) = SecretFiles::default().open(Path::new(keys))?;
    let functions = Functions::new(ring)?;
    let batches: Vec<RecordBatch> =
        FileReader::try_new(File::open(file)?, None)?.collect::<Result<_, _>>()?;
    let mut least = u64::MAX;
    for _ in 0..3 {
        let start = nanoseconds_on_cpu()?;
        for batch in &batches {
            let columns = tables::verify_columns(&StructArray::from(batch.clone()))?;
            std::hint::black_box(functions.verify(&columns.each_ref().map(AsRef::as_ref))?);
        }
        least = least.min(nanoseconds_on_cpu()? - start);
    }
    println!("{}.{:09}", least / 1_000_000_000, least % 1_000_000_000);
    Ok(())
}

/// How long this thread has run.
fn nanoseconds_on_cpu() -> Result<u64, Box<dyn Error>> {
    let text = read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse()?)
}
