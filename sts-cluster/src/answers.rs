//! Answers of queries, put aside until those of a query are whole: a query is run anew, as a whole,
//! where an executor was lost.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Int64Type, SchemaRef};
use datafusion::arrow::ipc::reader::FileReader;
use datafusion::arrow::ipc::writer::FileWriter;
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionContext;
use futures::future::ready;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// Queries at once: while the answers of one are written, executors work on the next.
const AT_ONCE: usize = 2;

/// How queries are run.
#[derive(Clone)]
pub(crate) struct Runs {
    context: SessionContext,
    /// How often a query is run anew.
    retries: u32,
    /// Where answers are put aside.
    aside: PathBuf,
    /// Whose turn it is: what is worked on when an executor is lost is lost with it.
    turn: Arc<Mutex<()>>,
}

impl Runs {
    /// Queries of a session whose answers go to a file, or to the screen.
    pub(crate) fn new(context: SessionContext, retries: u32, out: Option<&Path>) -> Self {
        let aside = match out.map(Path::parent) {
            None => std::env::temp_dir(),
            Some(Some(folder)) if folder != Path::new("") => folder.to_owned(),
            Some(_) => PathBuf::from("."),
        };
        Self { context, retries, aside, turn: Arc::default() }
    }

    /// The answers of queries with the same columns, one query's after another's. Where it is known
    /// how many rows they have, others end in an error.
    pub(crate) async fn answers(
        &self,
        queries: Vec<String>,
        expected: Option<u64>,
    ) -> Result<SendableRecordBatchStream> {
        let Some(first) = queries.first() else { return exec_err!("no query") };
        let schema: SchemaRef =
            Arc::new(self.context.sql(first).await?.schema().as_arrow().clone());
        let seen = Arc::new(AtomicU64::new(0));
        let sum = Arc::clone(&seen);
        let other = async move {
            let (seen, expected) = (seen.load(Ordering::Relaxed), expected?);
            (seen != expected).then(|| exec_err!("{seen} answers on {expected} rows"))
        };
        let runs = self.clone();
        let batches = stream::iter(queries)
            .map(move |query| {
                let runs = runs.clone();
                Running(tokio::spawn(async move { runs.run(&query).await })).whole()
            })
            .buffered(AT_ONCE)
            .map_ok(|whole| stream::iter(whole).map_err(DataFusionError::from))
            .try_flatten()
            .inspect_ok(move |batch: &RecordBatch| {
                sum.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
            })
            .chain(stream::once(other).filter_map(ready));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }

    /// Rows of a table.
    pub(crate) async fn rows(&self, table: &str) -> Result<u64> {
        let mut whole = self.run(&format!("SELECT count(*) FROM {table}")).await?;
        let count = whole.next().transpose()?.as_ref().and_then(count);
        count.map_or_else(|| exec_err!("{table}: its rows were not counted"), Ok)
    }

    async fn run(&self, query: &str) -> Result<FileReader<File>> {
        let _turn = self.turn.lock().await;
        let mut left = self.retries;
        loop {
            match self.put_aside(query).await {
                Err(error) if left > 0 && is_loss(&error.to_string()) => {
                    left -= 1;
                    eprintln!("warning: an executor was lost, what it worked on is run anew");
                }
                Err(error) if is_loss(&error.to_string()) => {
                    let times = self.retries + 1;
                    return exec_err!(
                        "no answers in {times} tries, as members were lost or none came: {}",
                        error.message()
                    );
                }
                whole => return whole,
            }
        }
    }

    async fn put_aside(&self, query: &str) -> Result<FileReader<File>> {
        let mut batches = self.context.sql(query).await?.execute_stream().await?;
        let mut writer =
            FileWriter::try_new(tempfile::tempfile_in(&self.aside)?, &batches.schema())?;
        while let Some(batch) = batches.next().await {
            writer.write(&batch?)?;
        }
        let mut file = writer.into_inner()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(FileReader::try_new(file, None)?)
    }
}

/// A query under way, which nobody waits for any more once this is gone.
struct Running(JoinHandle<Result<FileReader<File>>>);

impl Running {
    async fn whole(mut self) -> Result<FileReader<File>> {
        (&mut self.0).await.unwrap_or_else(|error| exec_err!("{error}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The number that is all of an answer.
fn count(answer: &RecordBatch) -> Option<u64> {
    let counts = answer.column(0).as_primitive_opt::<Int64Type>()?;
    u64::try_from(*counts.values().first()?).ok()
}

/// What the engine says where an executor is gone, or the scheduler gave up what it worked on.
const LOSSES: [&str; 6] = [
    "failed: Cancelled",
    "FetchFailed",
    "GrpcActionError",
    "GrpcConnectionError",
    "Error connecting to Ballista",
    "transport error",
];

/// Whether an error is of an executor, not of the query.
fn is_loss(error: &str) -> bool {
    LOSSES.iter().any(|sign| error.contains(sign))
}
