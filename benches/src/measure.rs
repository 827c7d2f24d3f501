//! Two forms of one thing, side by side: one process, rounds in turn, CPU time of this thread, tenth
//! percentile. What other processes do to the machine meets both alike.

use std::fmt;

/// What this thread has taken of a processor.
///
/// # Panics
///
/// Where the system has no such clock.
#[must_use]
pub fn thread_cpu_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a whole timespec of ours, and the call keeps none.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "no clock of this thread");
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).expect("time goes forwards")
}

/// One in ten is less.
///
/// # Panics
///
/// Of no times.
#[must_use]
pub fn tenth_percentile(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 10]
}

/// One way to do it.
pub struct Form<'a> {
    name: String,
    count: usize,
    stated: Option<f64>,
    call: Box<dyn FnMut() + 'a>,
    times: Vec<f64>,
}

impl<'a> Form<'a> {
    /// A call of it does `count` items.
    pub fn new(name: impl Into<String>, count: usize, call: impl FnMut() + 'a) -> Self {
        Self { name: name.into(), count, stated: None, call: Box::new(call), times: Vec::new() }
    }

    /// It is said to be this many times as fast as the first form.
    #[must_use]
    pub fn stated(self, ratio: f64) -> Self {
        Self { stated: Some(ratio), ..self }
    }
}

impl fmt::Debug for Form<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What came of one form.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What is compared.
    pub title: String,
    /// In which form.
    pub form: String,
    /// An item takes, in nanoseconds of this thread; `None` where only a ratio is known.
    pub nanoseconds: Option<f64>,
    /// How many times as fast as the first form of the title.
    pub ratio: f64,
    /// As it is said to be.
    pub stated: Option<f64>,
}

impl Figure {
    /// Half of what is stated is still taken for the doing of another processor.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.stated.is_none_or(|stated| self.ratio >= stated / 2.0)
    }
}

/// All that was measured.
#[derive(Debug, Default)]
pub struct Report {
    /// Only titles with this in them are measured.
    pub wanted: String,
    /// As measured.
    pub figures: Vec<Figure>,
}

impl Report {
    /// Whether this comparison was asked for.
    #[must_use]
    pub fn wants(&self, title: &str) -> bool {
        title.contains(&self.wanted)
    }

    /// Measures the forms; the first is what the others are compared with.
    pub fn compare(&mut self, title: &str, rounds: usize, mut forms: Vec<Form<'_>>) {
        if !self.wants(title) {
            return;
        }
        for _ in 0..rounds {
            for form in &mut forms {
                let start = thread_cpu_ns();
                (form.call)();
                form.times.push((thread_cpu_ns() - start) as f64 / form.count as f64);
            }
        }
        let mut first = None;
        for Form { name: form, stated, mut times, .. } in forms {
            let time = tenth_percentile(&mut times);
            let ratio = *first.get_or_insert(time) / time;
            let title = title.to_owned();
            self.put(Figure { title, form, nanoseconds: Some(time), ratio, stated });
        }
    }

    /// Takes a figure, and tells progress.
    pub fn put(&mut self, figure: Figure) {
        eprintln!("{}: {}, {:.1} x", figure.title, figure.form, figure.ratio);
        self.figures.push(figure);
    }

    /// For a page.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text =
            "| what | form | ns | times | stated |\n|---|---|---:|---:|---:|\n".to_owned();
        for Figure { title, form, nanoseconds, ratio, stated } in &self.figures {
            let time = nanoseconds.map(|time| format!("{time:.1}")).unwrap_or_default();
            let stated = stated.map(|stated| stated.to_string()).unwrap_or_default();
            text += &format!("| {title} | {form} | {time} | {ratio:.1} | {stated} |\n");
        }
        text
    }

    /// For programs: an array of objects.
    #[must_use]
    pub fn json(&self) -> String {
        // Titles and names are our own and hold nothing to escape.
        let figure = |Figure { title, form, nanoseconds, ratio, stated }: &Figure| {
            let or_null =
                |value: &Option<f64>| value.map_or("null".into(), |it| format!("{it:.2}"));
            format!(
                "{{\"title\": \"{title}\", \"form\": \"{form}\", \"ns\": {}, \"ratio\": {ratio:.2}, \"stated\": {}}}",
                or_null(nanoseconds),
                or_null(stated),
            )
        };
        format!("[\n{}\n]\n", self.figures.iter().map(figure).collect::<Vec<_>>().join(",\n"))
    }
}
