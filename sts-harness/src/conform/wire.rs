//! Devices that are reached over a program's standard streams or a TCP address.
//!
//! A thread reads lines of bounded length into a bounded queue, so that a device that floods or
//! sends no line end costs no memory, and one that hangs is left after a time.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use super::{Device, DeviceError, LONGEST_LINE};

/// Lines that wait to be read; one is the rule.
const WAITING: usize = 4;

/// A device at the other end of two streams.
pub struct Remote {
    output: Box<dyn Write>,
    lines: Receiver<Result<String, DeviceError>>,
    patience: Duration,
    child: Option<Child>,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("child", &self.child).finish_non_exhaustive()
    }
}

impl Remote {
    /// Starts a program that answers on its standard output. `command` is words, parted by blanks;
    /// quotes keep blanks. No shell is involved. Its errors go where ours go.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Unreachable`].
    pub fn command(command: &str, patience: Duration) -> Result<Self, DeviceError> {
        let unreachable =
            |why: String| DeviceError::Unreachable { device: command.to_owned(), why };
        let words = words(command).ok_or_else(|| unreachable("a quote is not closed".into()))?;
        let (program, arguments) =
            words.split_first().ok_or_else(|| unreachable("the command is empty".into()))?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| unreachable(error.to_string()))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(unreachable("its streams cannot be had".into()));
        };
        Ok(Self::over(Box::new(stdin), stdout, patience, Some(child)))
    }

    /// Connects to `HOST:PORT`.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Unreachable`].
    pub fn tcp(address: &str, patience: Duration) -> Result<Self, DeviceError> {
        let connect = || {
            let mut last = std::io::Error::other("the name has no address");
            for place in address.to_socket_addrs()? {
                match TcpStream::connect_timeout(&place, patience) {
                    Ok(stream) => {
                        stream.set_write_timeout(Some(patience))?;
                        stream.set_nodelay(true)?;
                        return Ok((stream.try_clone()?, stream));
                    }
                    Err(error) => last = error,
                }
            }
            Err(last)
        };
        let (input, output) = connect().map_err(|error: std::io::Error| {
            DeviceError::Unreachable { device: address.to_owned(), why: error.to_string() }
        })?;
        Ok(Self::over(Box::new(output), input, patience, None))
    }

    fn over(
        output: Box<dyn Write>,
        input: impl Read + Send + 'static,
        patience: Duration,
        child: Option<Child>,
    ) -> Self {
        let (sender, lines) = sync_channel(WAITING);
        std::thread::spawn(move || read_lines(input, &sender));
        Self { output, lines, patience, child }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = self.output.write_all(b"quit\n");
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Device for Remote {
    fn ask(&mut self, request: &str) -> Result<String, DeviceError> {
        let gone = || DeviceError::Gone { request: request.to_owned() };
        match self.lines.try_recv() {
            Ok(found) => return Err(DeviceError::Unasked { found: found? }),
            Err(TryRecvError::Disconnected) => return Err(gone()),
            Err(TryRecvError::Empty) => {}
        }
        let line = format!("{request}\n");
        self.output
            .write_all(line.as_bytes())
            .and_then(|()| self.output.flush())
            .map_err(|_| gone())?;
        match self.lines.recv_timeout(self.patience) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
            Err(RecvTimeoutError::Timeout) => Err(DeviceError::Silent {
                request: request.to_owned(),
                seconds: self.patience.as_secs(),
            }),
        }
    }
}

/// Sends lines until the stream ends, a line is too long, or nobody wants them.
fn read_lines(mut input: impl Read, lines: &SyncSender<Result<String, DeviceError>>) {
    let mut block = [0; 4096];
    let mut line = Vec::new();
    while let Ok(count @ 1..) = input.read(&mut block) {
        for byte in block.iter().take(count) {
            if *byte == b'\n' {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                line.clear();
                if lines.send(Ok(text)).is_err() {
                    return;
                }
            } else if line.len() == LONGEST_LINE {
                let _ = lines.send(Err(DeviceError::LongLine));
                return;
            } else {
                line.push(*byte);
            }
        }
    }
}

/// The words of a command; `None` where a quote stays open.
fn words(command: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for found in command.chars() {
        match quote {
            Some(open) if found == open => quote = None,
            Some(_) => word.get_or_insert_default().push(found),
            None if found == '\'' || found == '"' => {
                quote = Some(found);
                word.get_or_insert_default();
            }
            None if found.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(found),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}
