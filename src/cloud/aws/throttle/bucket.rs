//! How fast calls of one kind go, by what their answers tell: pure, the time is passed in.

use std::time::Duration;

use tokio::time::Instant;

/// What is learned is learned from so many answers, over so long a time at least.
const ANSWERS: u32 = 40;
const WINDOW: Duration = Duration::from_secs(1);
/// With a greater share refused, calls go slower: just above what was taken.
const TOO_MANY: f64 = 0.5;
const ABOVE: f64 = 1.25;
/// With a smaller share refused, they go faster again, by so many parts of the rate that there was.
const FEW: f64 = 0.34;
const STEPS: f64 = 20.0;
/// The slowest, in calls a second.
const SLOWEST: f64 = 1.0;
/// After so long without a call that was taken, none is worth waiting for.
const HOPELESS: Duration = Duration::from_secs(20);

/// Lets calls go as they come until one is refused, and from then on at the rate that the service publishes, or, where
/// it publishes none or takes fewer, at the rate that it turns out to take.
///
/// A refusal by itself is not a reason to slow down further: whoever shares the limit causes some, and they are tried
/// again. That most are refused is one.
#[derive(Debug)]
pub(super) struct Bucket {
    /// In calls a second, as are the others.
    published: Option<f64>,
    /// None while calls go as they come.
    rate: Option<f64>,
    /// The rate that there was before it was found too high.
    ceiling: f64,
    /// When the next call may go.
    next: Option<Instant>,
    window: Window,
    /// Since when every call was refused.
    refused_since: Option<Instant>,
}

/// Counts answers since a time.
#[derive(Debug, Default)]
struct Window {
    since: Option<Instant>,
    taken: u32,
    refused: u32,
}

impl Bucket {
    /// Begins without holding anything back.
    pub(super) fn new(published: Option<f64>) -> Self {
        Self {
            published,
            rate: None,
            ceiling: published.unwrap_or_default(),
            next: None,
            window: Window::default(),
            refused_since: None,
        }
    }

    /// Takes the next place, and tells how long after `now` it is.
    pub(super) fn place(&mut self, now: Instant) -> Duration {
        let Some(rate) = self.rate else {
            return Duration::ZERO;
        };
        let next = self.next.map_or(now, |next| next.max(now));
        self.next = Some(next + Duration::from_secs_f64(rate.recip()));
        next.duration_since(now)
    }

    /// Learns that a call was taken.
    pub(super) fn taken(&mut self, now: Instant) {
        self.window.taken += 1;
        self.refused_since = None;
        self.learn(now);
    }

    /// Learns that a call was refused for being one too many, and tells whether it is worth trying again.
    pub(super) fn refused(&mut self, now: Instant) -> bool {
        self.window.refused += 1;
        self.rate = self.rate.or(self.published);
        self.learn(now);
        let since = *self.refused_since.get_or_insert(now);
        now.duration_since(since) < HOPELESS
    }

    fn learn(&mut self, now: Instant) {
        let Window {
            since,
            taken,
            refused,
        } = &mut self.window;
        let (taken, refused) = (*taken, *refused);
        let lasted = now.duration_since(*since.get_or_insert(now));
        if taken + refused < ANSWERS || lasted < WINDOW {
            return;
        }
        let share = f64::from(refused) / f64::from(taken + refused);
        let second = lasted.as_secs_f64();
        if share > TOO_MANY {
            let sent = f64::from(taken + refused) / second;
            self.ceiling = self.published.unwrap_or(sent);
            let slower = f64::from(taken) / second * ABOVE;
            self.rate = Some(slower.clamp(SLOWEST, self.ceiling.max(SLOWEST)));
        } else if share < FEW
            && let Some(rate) = self.rate
        {
            let faster = rate + self.ceiling / STEPS;
            self.rate = match self.published {
                Some(published) => Some(faster.min(published)),
                // Back to as they come: whatever was too much is over.
                None => (faster < self.ceiling).then_some(faster),
            };
        }
        self.window = Window {
            since: Some(now),
            ..Window::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A service that takes so many calls a second, after a burst, and refuses some of the others at random.
    struct Service {
        rate: f64,
        burst: f64,
        tokens: f64,
        last: Instant,
        /// Out of 10,000.
        refuses: u64,
        dice: u64,
    }

    impl Service {
        fn new(start: Instant, rate: f64, burst: f64, refuses: u64) -> Self {
            Self {
                rate,
                burst,
                tokens: burst,
                last: start,
                refuses,
                dice: 1,
            }
        }

        fn takes(&mut self, now: Instant) -> bool {
            let passed = now.duration_since(self.last).as_secs_f64();
            self.tokens = (self.tokens + passed * self.rate).min(self.burst);
            self.last = now;
            let enough = self.tokens >= 1.0;
            self.tokens -= if enough { 1.0 } else { 0.0 };
            self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005) + 1;
            enough && (self.dice >> 33) % 10_000 >= self.refuses
        }
    }

    /// Makes calls one by one, each so long after the one before at least; gives those sent and taken in the last half.
    fn run(bucket: &mut Bucket, service: &mut Service, gap: Duration, length: u64) -> (u32, u32) {
        let start = service.last;
        let length = Duration::from_secs(length);
        let (mut now, mut sent, mut taken) = (start, 0, 0);
        while now < start + length {
            now += bucket.place(now) + gap;
            let took = service.takes(now);
            if took {
                bucket.taken(now);
            } else {
                bucket.refused(now);
            }
            if now > start + length / 2 {
                sent += 1;
                taken += u32::from(took);
            }
        }
        (sent, taken)
    }

    const FAST: Duration = Duration::from_millis(1);

    #[test]
    fn nothing_is_held_back_until_a_call_is_refused() {
        let start = Instant::now();
        let mut bucket = Bucket::new(Some(8.0));
        for _ in 0..100 {
            assert_eq!(bucket.place(start), Duration::ZERO);
            bucket.taken(start);
        }
        assert!(bucket.refused(start));
        let waits: Vec<_> = (0..3).map(|_| bucket.place(start).as_millis()).collect();
        assert_eq!(waits, [0, 125, 250]);
        // A pause is no credit.
        let later = start + Duration::from_secs(60);
        assert_eq!(bucket.place(later).as_millis(), 0);
        assert_eq!(bucket.place(later).as_millis(), 125);
    }

    #[test]
    fn the_published_rate_is_kept_and_used_up() {
        let start = Instant::now();
        let mut service = Service::new(start, 8.0, 12.0, 0);
        let (sent, taken) = run(&mut Bucket::new(Some(8.0)), &mut service, FAST, 120);
        assert!(taken >= 470, "{taken} of 480");
        assert!(sent - taken <= 10, "{sent} sent");
    }

    #[test]
    fn a_lower_rate_than_published_or_an_unknown_one_is_found() {
        for published in [Some(600.0), None] {
            let start = Instant::now();
            let mut service = Service::new(start, 50.0, 50.0, 0);
            let (sent, taken) = run(&mut Bucket::new(published), &mut service, FAST, 120);
            assert!(taken >= 2_900, "{taken} of 3,000");
            assert!(sent < 2 * taken, "{sent} sent for {taken}");
        }
    }

    #[test]
    fn what_is_refused_at_random_is_no_reason_to_slow_down() {
        let start = Instant::now();
        let mut service = Service::new(start, 10_000.0, 10_000.0, 3_000);
        let (sent, taken) = run(&mut Bucket::new(None), &mut service, FAST, 60);
        assert!(
            sent > 29_000 && taken > 20_000,
            "{sent} sent, {taken} taken"
        );

        let mut service = Service::new(start, 10_000.0, 10_000.0, 3_000);
        let (sent, _) = run(&mut Bucket::new(Some(8.0)), &mut service, FAST, 600);
        assert!(sent > 2_200, "{sent} of 2,400");
    }

    #[test]
    fn it_goes_faster_again_when_the_service_takes_more() {
        let start = Instant::now();
        for (published, expected) in [(Some(100.0), 2_900), (None, 25_000)] {
            let mut bucket = Bucket::new(published);
            run(
                &mut bucket,
                &mut Service::new(start, 10.0, 1.0, 0),
                FAST,
                60,
            );
            let mut generous = Service::new(start + Duration::from_secs(70), 1e6, 1e6, 0);
            let (sent, taken) = run(&mut bucket, &mut generous, FAST, 60);
            assert_eq!(sent, taken);
            assert!(taken >= expected, "{taken} of {expected}");
        }
    }

    #[test]
    fn a_service_that_takes_nothing_is_given_up_on() {
        let start = Instant::now();
        let mut bucket = Bucket::new(None);
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(bucket.refused(start));
        assert!(bucket.refused(after(19)));
        assert!(!bucket.refused(after(20)));
        bucket.taken(after(21));
        assert!(bucket.refused(after(60)));
    }
}
