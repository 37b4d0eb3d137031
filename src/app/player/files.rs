//! The files of the player: where a recording is, what its head says, how loud it is, and what was fetched
//! from a server.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::base::id::CallId;
use crate::base::private_dir;
use crate::base::random::{OsRandom, Random as _};
use crate::control::WaveformView;
use crate::crm::StoreError;
use crate::crm::row::{RecordingGap, RecordingGapCause};
use crate::media::gap::{Gap, GapCause};
use crate::media::overview::{Overview, overview};
use crate::media::wav::{WavError, WavFile};
use crate::net::http::{self, FetchError, FetchLimits, WebAddress};

/// So many waveforms are kept, a few kilobytes each.
const KEPT: usize = 32;

/// Where a recording is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) enum Found {
    /// There is none.
    None,
    /// Here.
    File(PathBuf),
    /// A server keeps it.
    Web {
        /// Its address.
        address: String,
        /// Which server that is.
        host: String,
    },
}

/// What the head of a recording says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) struct Head {
    pub(super) path: PathBuf,
    pub(super) length: Duration,
    pub(super) gaps: Vec<RecordingGap>,
    pub(super) cut: bool,
}

/// Finds what a row names: a file where it says or, when the folder of recordings was moved, there under
/// the same name; or an address of the web.
///
/// # Errors
///
/// Fails with a sentence when it is an address that cannot be fetched.
pub(super) fn find(named: Option<&str>, folder: &Path) -> Result<Found, String> {
    let Some(named) = named.map(str::trim).filter(|named| !named.is_empty()) else {
        return Ok(Found::None);
    };
    if WebAddress::is_meant(named) {
        let address = WebAddress::parse(named).map_err(|error| error.to_string())?;
        return Ok(Found::Web {
            host: address.host(),
            address: named.to_owned(),
        });
    }
    let path = PathBuf::from(named);
    let moved = path.file_name().map(|name| folder.join(name));
    let there = moved.filter(|moved| !path.exists() && moved.exists());
    Ok(Found::File(there.unwrap_or(path)))
}

/// Whether a recording that somebody names for a call can be one: what means to be an address must be one.
///
/// # Errors
///
/// Fails with a sentence.
pub(in crate::app) fn check_named(named: String) -> Result<String, StoreError> {
    if (WebAddress::is_meant(&named) || named.contains("://"))
        && let Err(error) = WebAddress::parse(&named)
    {
        return Err(StoreError::Refused(error.to_string()));
    }
    Ok(named)
}

/// Waveforms of the recordings that were shown last.
#[derive(Debug, Clone, Default)]
pub(super) struct Waveforms(Arc<Mutex<VecDeque<(Known, WaveformView)>>>);

/// A file as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    path: PathBuf,
    size: u64,
    changed: Option<SystemTime>,
}

impl Waveforms {
    fn get(&self, known: &Known) -> Option<WaveformView> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(it, _)| it == known);
        found.map(|(_, waveform)| waveform.clone())
    }

    fn keep(&self, known: Known, waveform: WaveformView) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(it, _)| it.path != known.path);
        kept.push_front((known, waveform));
        kept.truncate(KEPT);
    }
}

/// Reads a file: first its head, then how loud it is, as far as that is known by then; `tell` says whether
/// anybody still wants to know.
pub(super) fn read(
    path: &Path,
    waveforms: &Waveforms,
    mut head: impl FnMut(Result<Head, String>) -> bool,
    mut tell: impl FnMut(WaveformView) -> bool,
) {
    let mut file = match WavFile::open(path) {
        Ok(file) => file,
        Err(error) => {
            head(Err(told(&error, path)));
            return;
        }
    };
    let found = file.head();
    let wanted = head(Ok(Head {
        path: path.to_owned(),
        length: found.length(),
        gaps: found.gaps.iter().copied().map(gap_row).collect(),
        cut: found.cut,
    }));
    if !wanted {
        return;
    }
    let known = fs::metadata(path).ok().map(|data| Known {
        path: path.to_owned(),
        size: data.len(),
        changed: data.modified().ok(),
    });
    if let Some(waveform) = known.as_ref().and_then(|known| waveforms.get(known)) {
        tell(waveform);
        return;
    }
    match overview(&mut file, |part| tell(waveform(part))) {
        Ok(whole) if whole.is_whole() => {
            let waveform = waveform(&whole);
            if let Some(known) = known {
                waveforms.keep(known, waveform.clone());
            }
            tell(waveform);
        }
        // Nobody wanted the rest.
        Ok(_part) => {}
        Err(error) => {
            head(Err(told(&WavError::Unreadable(error), path)));
        }
    }
}

/// What is wrong with which file.
pub(super) fn told(error: &WavError, path: &Path) -> String {
    format!("{error} ({})", path.display())
}

fn waveform(overview: &Overview) -> WaveformView {
    WaveformView {
        parts: overview.peaks,
        near: overview.near.as_slice().into(),
        far: overview.far.as_slice().into(),
    }
}

/// A gap as a row keeps it.
pub(in crate::app) fn gap_row(gap: Gap) -> RecordingGap {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    RecordingGap {
        cause: match gap.cause {
            GapCause::Paused => RecordingGapCause::Paused,
            GapCause::DiskBehind => RecordingGapCause::DiskBehind,
        },
        start_millis: millis(gap.start),
        length_millis: gap.length.map(millis),
    }
}

/// A file that was fetched from a server, for its owner alone; it goes with this.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::app) struct FetchedFile {
    path: PathBuf,
}

impl FetchedFile {
    /// Makes an empty one in a folder, which is made where it is not there yet.
    ///
    /// # Errors
    ///
    /// Fails when the system refuses.
    pub(super) fn create(folder: &Path, call: CallId) -> io::Result<(Self, File)> {
        private_dir::create(folder)?;
        let path = folder.join(format!("{call}-{}.wav", OsRandom.hex(8)));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok((Self { path }, file))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for FetchedFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, "a fetched recording stays until the next start");
        }
    }
}

/// Removes what a crash left.
pub(super) fn remove_fetched(folder: &Path) {
    if folder.exists()
        && let Err(error) = fs::remove_dir_all(folder)
    {
        tracing::warn!(%error, "fetched recordings of an earlier run stay");
    }
}

/// Fetches a recording from a server.
///
/// # Errors
///
/// Fails with a sentence for the agent.
pub(super) async fn fetch(
    address: &str,
    folder: &Path,
    call: CallId,
    look: impl FnMut(u64, Option<u64>),
) -> Result<FetchedFile, String> {
    let fetched = async {
        let address = WebAddress::parse(address)?;
        let (fetched, file) = FetchedFile::create(folder, call).map_err(FetchError::Disk)?;
        let mut file = BufWriter::new(file);
        http::fetch(&address, FetchLimits::default(), &mut file, look).await?;
        file.flush().map_err(FetchError::Disk)?;
        Ok(fetched)
    };
    fetched.await.map_err(|error: FetchError| words(&error))
}

/// Why a recording was not fetched, for the agent, who has a browser.
fn words(error: &FetchError) -> String {
    if error.may_be_browsed() {
        format!("{error}; open it in a browser")
    } else {
        error.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, seconds: u32) {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(path, spec).unwrap();
        for _ in 0..seconds * 16_000 {
            writer.write_sample(8_192).unwrap();
        }
        writer.finalize().unwrap();
    }

    #[test]
    fn a_recording_is_found_where_its_row_says_or_where_the_folder_is_now() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().join("a.wav");
        fs::write(&here, "RIFF").unwrap();
        let named = here.to_str().unwrap().to_owned();
        let find = |named: &str| find(Some(named), folder.path());
        assert_eq!(find(&named), Ok(Found::File(here.clone())));
        assert_eq!(find("/elsewhere/before/a.wav"), Ok(Found::File(here)));
        let gone = PathBuf::from("/elsewhere/before/b.wav");
        assert_eq!(find("/elsewhere/before/b.wav"), Ok(Found::File(gone)));
        assert_eq!(find("  "), Ok(Found::None));
        assert_eq!(super::find(None, folder.path()), Ok(Found::None));
        let web = Found::Web {
            address: "https://pbx.example/a.wav?key=1".to_owned(),
            host: "pbx.example".to_owned(),
        };
        assert_eq!(find("https://pbx.example/a.wav?key=1"), Ok(web));
        assert!(find("http://").is_err());
    }

    #[test]
    fn a_recording_is_read_once_as_long_as_it_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let kept = Waveforms::default();
        let read = |want: bool| {
            let (mut heads, mut waveforms) = (Vec::new(), Vec::new());
            let head = |head| {
                heads.push(head);
                want
            };
            let tell = |waveform| {
                waveforms.push(waveform);
                true
            };
            read(&path, &kept, head, tell);
            (heads, waveforms)
        };
        let (heads, waveforms) = read(true);
        let [Err(why)] = &heads[..] else {
            panic!("{heads:?}");
        };
        assert!(
            why.contains("moved or deleted") && why.contains("a.wav"),
            "{why}"
        );
        assert!(waveforms.is_empty());
        write(&path, 2);
        assert!(read(false).1.is_empty());
        let (heads, first) = read(true);
        let [Ok(head)] = &heads[..] else {
            panic!("{heads:?}");
        };
        assert_eq!(head.length, Duration::from_secs(2));
        assert_eq!(
            (first[0].parts, first[0].near[99], first[0].far[0]),
            (100, 64, 64)
        );
        let (_, again) = read(true);
        assert!(
            Arc::ptr_eq(&first[0].near, &again[0].near),
            "it was not read again"
        );
        write(&path, 3);
        let (_, other) = read(true);
        assert_eq!(other[0].parts, 150);
        assert_eq!(kept.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn the_agent_is_sent_to_a_browser_only_where_that_helps() {
        let host = || "pbx.example".to_owned();
        let page = words(&FetchError::WebPage(host()));
        assert!(page.ends_with("; open it in a browser"), "{page}");
        let gone = words(&FetchError::Gone(host()));
        assert!(!gone.contains("browser"), "{gone}");
    }

    #[cfg(unix)]
    #[test]
    fn what_was_fetched_is_for_its_owner_alone_and_goes() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("fetched");
        let call = CallId::new(1, [7; 10]);
        let (first, _) = FetchedFile::create(&place, call).unwrap();
        let (second, _) = FetchedFile::create(&place, call).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(first.path()), mode(&place)], [0o600, 0o700]);
        let path = first.path().to_owned();
        drop(first);
        assert!(!path.exists() && second.path().exists());
        std::mem::forget(second);
        remove_fetched(&place);
        assert!(!place.exists());
        remove_fetched(&place);
    }
}
