//! Exit statuses and what ends a run.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use sts_harness::input::{InputError, nearest};
use sts_harness::results::WriteError;

use crate::out::Out;

/// What a run comes to. The highest that applies is returned.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Exit {
    /// Every token accepted, authentic or encrypted; every claim reproduced.
    Good = 0,
    /// Some token refused, or some claim not reproduced.
    Refused = 1,
    /// An input could not be read, or rows were rejected.
    Input = 3,
    /// Keys missing, locked, or of the wrong purpose.
    Keys = 4,
}

impl Exit {
    /// Good or refused.
    pub(crate) const fn of(good: bool) -> Self {
        if good { Self::Good } else { Self::Refused }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Ends a run whose arguments cannot be read. A key that was typed as an argument of `sts keys` is
/// not repeated.
pub(crate) fn usage(error: &clap::Error) -> ! {
    let about_keys = std::env::args_os().any(|word| word == "keys");
    if about_keys && error.use_stderr() {
        // A misspelt verb is read as the name of a file.
        let mut words = std::env::args_os().skip_while(|word| word != "keys").skip(1);
        let verb = words.next().and_then(|word| word.into_string().ok()).unwrap_or_default();
        let verbs = ["new", "import", "list", "check", "rotate"];
        if let Some(near) = nearest(&verb, verbs)
            && near != verb
            && !Path::new(&verb).exists()
        {
            eprintln!("error: sts keys has no verb {verb:?}\ntry: sts keys {near}");
            std::process::exit(2);
        }
        eprint!("{}", sts_harness::keys::without_keys(&error.render().to_string()));
        std::process::exit(2);
    }
    error.exit()
}

/// What ends a run early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The reader of our output is gone.
    ClosedPipe,
    /// Output could not be written.
    Output(io::Error),
    /// A file could not be written.
    Write(WriteError),
    /// An input could not be read.
    Input(InputError),
    /// Words of the command line that do not go together.
    Usage(String),
}

impl Failure {
    /// A file that cannot be written, by its name.
    pub(crate) fn in_file(path: &Path, error: &io::Error) -> Self {
        Self::Output(io::Error::other(format!("{}: {error}", path.display())))
    }

    /// Tells people, in these words.
    pub(crate) fn tell(&self, text: &str, out: &mut Out) {
        match self {
            Self::Input(error) => out.failure(error, text),
            _ => out.error(text),
        }
    }

    pub(crate) fn exit(&self) -> ExitCode {
        match self {
            Self::ClosedPipe => ExitCode::SUCCESS,
            Self::Usage(_) => ExitCode::from(2),
            Self::Output(_) | Self::Write(_) => ExitCode::from(3),
            Self::Input(error) if error.is_about_keys() => Exit::Keys.into(),
            Self::Input(_) => Exit::Input.into(),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ClosedPipe => Ok(()),
            Self::Output(error) => write!(f, "cannot write the output: {error}"),
            Self::Write(error) => write!(f, "{error}"),
            Self::Input(error) => write!(f, "{error}"),
            Self::Usage(problem) => f.write_str(problem),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ClosedPipe
        } else {
            Self::Output(error)
        }
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Self::Input(error)
    }
}

/// A run's result.
pub(crate) type Done = Result<Exit, Failure>;
