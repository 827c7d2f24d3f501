//! Replays of dropped files: one runs at a time, and the latest reports are kept in memory.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use hyper::StatusCode;
use hyper::body::Incoming;
use serde_json::{Value, json};
use sts_harness::case::Case;
use sts_harness::entries::Entries;
use sts_harness::import::{self, Options};
use sts_harness::replay::{Notice, Replay, Totals};
use sts_harness::report::{About, Input, Report};
use sts_harness::time::Zone;

use super::access::random;
use super::answers::Shelf;
use super::limits;
use super::problem::Problem;
use crate::exit::Failure;

/// Replays that are remembered.
const KEPT: usize = 4;
/// Rejected rows and notes that are told.
const NOTES: usize = 20;

/// What became of a replay so far.
#[derive(Default)]
struct State {
    rows: u64,
    bytes_done: u64,
    bytes: u64,
    rejected: u64,
    notes: Vec<String>,
    totals: Totals,
    ended: Option<Result<String, String>>,
}

struct Job {
    id: u64,
    name: String,
    state: Mutex<State>,
}

/// All replays of this server.
pub(super) struct Jobs {
    /// Where dropped files are put while they are replayed; gone when the server ends.
    folder: PathBuf,
    next: AtomicU64,
    /// Whether a file is being received or replayed.
    busy: tokio::sync::Semaphore,
    kept: Mutex<Vec<Arc<Job>>>,
}

impl Jobs {
    pub(super) fn new() -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("sts-serve-{}", random::<8>()?));
        make_own_folder(&folder).map_err(|error| Failure::in_file(&folder, &error))?;
        Ok(Self {
            folder,
            next: AtomicU64::new(1),
            busy: tokio::sync::Semaphore::new(1),
            kept: Mutex::default(),
        })
    }

    /// Receives a file and starts to replay it; the answer is the replay's state.
    pub(super) async fn start(
        self: &Arc<Self>,
        shelf: &Arc<Shelf>,
        name: &str,
        zone: Option<&str>,
        body: Incoming,
    ) -> Result<Value, Problem> {
        let zone = zone
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(|name| Zone::parse(name).map(|zone| (name.to_owned(), zone)));
        let zone = zone.transpose().map_err(|problem| Problem::bad("tz", problem))?;
        let ending = ending(name)?;
        let Ok(permit) = self.busy.try_acquire() else {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "another file is being replayed; try again when it is done",
            ));
        };
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.join(id.to_string());
        let received = receive(&folder, ending, body).await;
        let file = match received {
            Ok(file) => file,
            Err(problem) => {
                let _ = fs::remove_dir_all(&folder);
                return Err(problem);
            }
        };
        let name: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
        let job = Arc::new(Job { id, name, state: Mutex::default() });
        if let Ok(mut kept) = self.kept.lock() {
            kept.push(Arc::clone(&job));
            let surplus = kept.len().saturating_sub(KEPT);
            kept.drain(..surplus);
        }
        permit.forget();
        let (jobs, shelf, running) = (Arc::clone(self), Arc::clone(shelf), Arc::clone(&job));
        std::thread::spawn(move || {
            // A replay that panics is one that failed, and the next may begin.
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                running.run(&shelf, &folder, &file, zone)
            }));
            let done = done.unwrap_or_else(|_| Err("internal error".to_owned()));
            let _ = fs::remove_dir_all(&folder);
            // Whoever sees the end may begin the next.
            jobs.busy.add_permits(1);
            running.change(|state| state.ended = Some(done));
        });
        Ok(job.json())
    }

    /// Removes what was dropped: the server ends.
    pub(super) fn clear(&self) {
        let _ = fs::remove_dir_all(&self.folder);
    }

    fn find(&self, id: &str) -> Result<Arc<Job>, Problem> {
        let unknown = || Problem::new(StatusCode::NOT_FOUND, "no such replay, or not any more");
        let kept = self.kept.lock().map_err(|_| unknown())?;
        kept.iter().find(|job| job.id.to_string() == id).cloned().ok_or_else(unknown)
    }

    /// How far a replay is.
    pub(super) fn state(&self, id: &str) -> Result<Value, Problem> {
        Ok(self.find(id)?.json())
    }

    /// The page of a replay that is done.
    pub(super) fn report(&self, id: &str) -> Result<String, Problem> {
        let job = self.find(id)?;
        let page = job.state.lock().ok().and_then(|state| match &state.ended {
            Some(Ok(page)) => Some(page.clone()),
            _ => None,
        });
        page.ok_or_else(|| Problem::new(StatusCode::CONFLICT, "the replay is not done, or failed"))
    }

    /// Forgets a replay that has ended.
    pub(super) fn forget(&self, id: &str) -> Result<(), Problem> {
        let job = self.find(id)?;
        if let Ok(mut kept) = self.kept.lock() {
            kept.retain(|other| other.id != job.id);
        }
        Ok(())
    }
}

/// For its owner alone.
fn make_own_folder(folder: &Path) -> std::io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "a mode is for Unix alone"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// What kind of file it is, by the end of its name: all that a name from outside decides.
fn ending(name: &str) -> Result<&'static str, Problem> {
    const KNOWN: [&str; 7] = ["csv", "tsv", "txt", "json", "ndjson", "xlsx", "xml"];
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    KNOWN.into_iter().find(|known| ending.as_deref() == Some(known)).ok_or_else(|| {
        Problem::bad("name", format!("expected a name that ends in one of: {}", KNOWN.join(", ")))
    })
}

async fn receive(folder: &Path, ending: &str, body: Incoming) -> Result<PathBuf, Problem> {
    let failed = |_: std::io::Error| {
        Problem::new(StatusCode::INSUFFICIENT_STORAGE, "the file could not be kept")
    };
    make_own_folder(folder).map_err(failed)?;
    let path = folder.join(format!("dropped.{ending}"));
    let mut file = BufWriter::new(File::create_new(&path).map_err(failed)?);
    let mut is_empty = true;
    let pieces = limits::pieces(body, limits::FILE_BYTES, |piece| {
        is_empty &= piece.is_empty();
        file.write_all(piece).map_err(failed)
    });
    pieces.await?;
    if is_empty {
        return Err(Problem::bad("body", "empty, expected a file"));
    }
    file.flush().map_err(failed)?;
    Ok(path)
}

impl Job {
    fn change(&self, change: impl FnOnce(&mut State)) {
        if let Ok(mut state) = self.state.lock() {
            change(&mut state);
        }
    }

    fn json(&self) -> Value {
        let Ok(state) = self.state.lock() else { return Value::Null };
        let (name, problem) = match &state.ended {
            None => ("running", None),
            Some(Ok(_)) => ("done", None),
            Some(Err(problem)) => ("failed", Some(problem.clone())),
        };
        let totals = &state.totals;
        let causes: Vec<Value> = totals
            .causes
            .iter()
            .map(|(cause, refusals)| json!({"cause": cause, "refusals": refusals}))
            .collect();
        json!({
            "schema": 1, "id": self.id.to_string(), "name": self.name, "state": name,
            "problem": problem, "rows": state.rows, "rejected": state.rejected,
            "bytes_done": state.bytes_done, "bytes": state.bytes, "notes": state.notes,
            "accepted": totals.accepted, "refused": totals.refused,
            "reproduced": totals.reproduced, "near": totals.near,
            "not_reproduced": totals.not_reproduced, "key_missing": totals.key_missing,
            "errors": totals.errors, "causes": causes,
        })
    }

    /// Replays a file: the entries of a case at the meters on record, anything else as an export.
    /// Returns the report as a page, or what was wrong.
    fn run(
        &self,
        shelf: &Shelf,
        folder: &Path,
        file: &Path,
        zone: Option<(String, Zone)>,
    ) -> Result<String, String> {
        let about = About {
            title: shelf.case.settings.title.clone(),
            case: self.name.clone(),
            inputs: vec![
                Input::of(file)
                    .map(|input| Input { name: self.name.clone(), ..input })
                    .map_err(|error| error.to_string())?,
            ],
            rejected: 0,
        };
        let own = shelf.has_records && file.extension().is_some_and(|ending| ending == "csv");
        if own && let Ok(entries) = Entries::open(file, Some(folder)) {
            return self.replay(&shelf.case, shelf, entries, Report::new(about));
        }
        let mut options = Options::default();
        options.zone = zone;
        options.keys = Some(shelf.case.keys.clone());
        options.sort = true;
        options.sort_memory = 64 << 20;
        let imported = folder.join("case");
        let done = import::write(&[file.to_owned()], &imported, &options);
        let done = done.map_err(|error| self.in_words(folder, file, &error.to_string()))?;
        if let Some(problem) = done.files.iter().find_map(|file| file.problem.as_ref()) {
            return Err(self.in_words(folder, file, problem));
        }
        self.change(|state| {
            state.rejected += done.rejected;
            let notes = done.rejects.iter().chain(&done.notes).take(NOTES);
            state.notes.extend(notes.map(|note| self.in_words(folder, file, note)));
        });
        let mut case = shelf.closed.closed()?;
        let entries = case
            .open_more(&imported)
            .map_err(|error| self.in_words(folder, file, &error.to_string()))?;
        let meters: usize = case.rejected.iter().map(|file| file.rows.len()).sum();
        if meters > 0 {
            self.change(|state| state.notes.push(format!("meters not taken: {meters}")));
        }
        let mut report = Report::new(about);
        report.add_rejected(done.rejected);
        self.replay(&case, shelf, entries, report)
    }

    /// A message with the file's own name, without the place where it was kept.
    fn in_words(&self, folder: &Path, file: &Path, message: &str) -> String {
        let kept = file.file_name().unwrap_or_default().to_string_lossy();
        let message = message.replace(&format!("{}/", folder.join("case").display()), "");
        let message = message.replace(&format!("{}/", folder.display()), "");
        message.replace(&*kept, &self.name)
    }

    fn replay(
        &self,
        case: &Case,
        shelf: &Shelf,
        entries: Entries,
        mut report: Report,
    ) -> Result<String, String> {
        self.change(|state| state.bytes = entries.length());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // One is left for questions.
        let threads = cores.saturating_sub(1).max(1);
        let mut replay = Replay::with_settings(case, shelf.search.clone());
        for batch in entries {
            let batch = batch.map_err(|error| error.to_string())?;
            let rejected = u64::try_from(batch.rejected.len()).unwrap_or_default();
            report.add_rejected(rejected);
            let steps = replay.steps(&batch.rows, threads);
            for (entry, step) in batch.rows.iter().zip(&steps) {
                if step.notice == Some(Notice::OutOfOrder) {
                    return Err(format!("line {}: before an earlier line's time", entry.line));
                }
                report.add(entry, step);
            }
            self.change(|state| {
                state.rejected += rejected;
                let left = NOTES.saturating_sub(state.notes.len());
                state.notes.extend(batch.rejected.iter().take(left).map(ToString::to_string));
                state.rows += u64::try_from(batch.rows.len()).unwrap_or_default();
                state.bytes_done = batch.done;
                steps.iter().for_each(|step| state.totals.add(&step.verdict));
            });
        }
        Ok(report.page())
    }
}
