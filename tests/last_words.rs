//! Before a budget is used up it is said who holds it: once at 80 %, once at 95 %, and again when it was calm in between.

mod rig;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use leaktrail::{
    ByteBuf, ByteBufAllocator, Config, DropPolicy, LeakAware, LeakDetector, LeakReport, Level, Limited, Pressure,
    ReportTo, Severity, Sink, UnpooledAllocator,
};
use rig::Rig;

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Pressure>>>);

impl Sink for Heard {
    fn report(&self, _: &LeakReport) {}

    fn pressure(&self, pressure: &Pressure) {
        self.0.lock().unwrap().push(pressure.clone());
    }
}

impl Heard {
    fn by(detector: &LeakDetector) -> Heard {
        let heard = Heard::default();
        detector.add_sink(heard.clone()).detach_never();
        heard
    }

    /// The marks that were told of budgets, once a flush has told what there was.
    fn marks(&self, detector: &LeakDetector) -> Vec<u8> {
        detector.flush();
        self.budgets().iter().map(Pressure::mark).collect()
    }

    /// This process may be in a control group that is nearly full; that is another test's.
    fn budgets(&self) -> Vec<Pressure> {
        self.0.lock().unwrap().iter().filter(|pressure| pressure.of() == Limited::Budget).cloned().collect()
    }
}

fn rig(level: Level) -> Rig {
    Rig::with_config(Config::new().level(level).report(ReportTo::Off), DropPolicy::Reclaim, 1_000)
}

#[test]
fn each_mark_is_told_once_with_the_holders_until_it_was_calm() {
    for level in [Level::Simple, Level::Advanced, Level::Paranoid] {
        if Level::CEILING < level {
            return;
        }
        let rig = rig(level);
        let heard = Heard::by(&rig.detector);
        let (mut hoard, mut site): (Vec<ByteBuf>, u32) = (Vec::new(), 0);
        let fill = |hoard: &mut Vec<ByteBuf>, site: &mut u32, hundreds: usize| {
            hoard.drain(hundreds.min(hoard.len())..).for_each(|body| _ = body.release());
            while hoard.len() < hundreds {
                *site = line!() + 1;
                hoard.push(rig.filled(&[7; 100]));
            }
            // Something small, so that the budget is looked at also when it has become emptier.
            rig.allocator.allocate(1).unwrap().release();
        };
        for (hundreds, marks) in
            [(7, &[][..]), (8, &[80]), (9, &[80]), (7, &[80]), (9, &[80]), (6, &[80]), (8, &[80, 80]), (9, &[80, 80])]
        {
            fill(&mut hoard, &mut site, hundreds);
            assert_eq!(heard.marks(&rig.detector), marks, "{level}, at {hundreds} hundreds");
        }
        let rest = rig.allocator.allocate(60).unwrap();
        assert_eq!(heard.marks(&rig.detector), [80, 80, 95]);
        let told = heard.budgets();
        assert_eq!((told[0].used(), told[0].limit(), told[0].level()), (800, 1_000, level));
        assert_eq!((told[0].severity(), told[2].severity()), (Severity::Warn, Severity::Error));
        let holder = &told[2].holders()[0];
        assert_eq!((holder.site().line(), holder.live(), holder.live_bytes()), (site, 9, 900));
        let text = told[2].to_string();
        assert!(
            text.starts_with("LIVE: budget at 96.0 %: 960 of 1000 B used, 2 sites hold references to 960 B\n"),
            "{text}"
        );
        assert!(text.contains("\nLIVE: #1 93.8 % 900 B in 9 live, "), "{text}");
        assert_eq!(rig.memory.used(), 960, "nothing of the budget was taken to say it");
        rest.release();
        hoard.into_iter().for_each(|body| _ = body.release());
        rig.assert_all_came_back();
    }
}

#[test]
fn two_allocators_of_one_budget_and_detector_tell_it_once() {
    if Level::CEILING < Level::Simple {
        return;
    }
    let rig = rig(Level::Simple);
    let heard = Heard::by(&rig.detector);
    let other = LeakAware::new(UnpooledAllocator::new(rig.memory.clone()), rig.detector.clone());
    let body = rig.filled(&[7; 850]);
    let more = other.allocate(10).unwrap();
    assert_eq!(heard.marks(&rig.detector), [80]);
    // Another budget is another matter.
    let elsewhere = self::rig(Level::Simple);
    let third = LeakAware::new(UnpooledAllocator::new(elsewhere.memory.clone()), rig.detector.clone());
    let third = third.allocate(990).unwrap();
    assert_eq!(heard.marks(&rig.detector), [80, 95]);
    body.release();
    more.release();
    third.release();
}

#[test]
fn nothing_is_told_at_disabled_or_without_a_limit() {
    let disabled = rig(Level::Disabled);
    let heard = Heard::by(&disabled.detector);
    let body = disabled.filled(&[7; 990]);
    assert_eq!(heard.marks(&disabled.detector), [0; 0]);
    body.release();

    let detector = LeakDetector::new(Config::new().report(ReportTo::Off));
    let heard = Heard::by(&detector);
    let allocator = LeakAware::new(UnpooledAllocator::new(leaktrail::DirectMemory::unlimited()), detector.clone());
    let body = allocator.allocate(1 << 20).unwrap();
    assert_eq!(heard.marks(&detector), [0; 0]);
    body.release();
}

/// The thread that allocates wakes the reporter, which tells it without being asked.
#[test]
fn the_reporter_tells_it_by_itself() {
    if Level::CEILING < Level::Simple {
        return;
    }
    let rig = rig(Level::Simple);
    let heard = Heard::by(&rig.detector);
    let body = rig.filled(&[7; 990]);
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while heard.budgets().is_empty() {
        assert!(std::time::Instant::now() < deadline, "it is not told");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(heard.budgets()[0].mark(), 95, "what was passed at once is told once");
    body.release();
}
