//! Spaces calls out in time.

use std::time::Duration;

use tokio::time::Instant;

/// Lets so many calls go at once, and from then on one in each interval.
#[derive(Debug)]
pub(in crate::cloud::aws) struct Pace {
    burst: u32,
    interval: Duration,
    /// When there would be room for the whole burst again; none until the first call.
    empty: Option<Instant>,
}

impl Pace {
    /// Begins with room for the whole burst.
    pub(in crate::cloud::aws) fn new(burst: u32, interval: Duration) -> Self {
        Self {
            burst,
            interval,
            empty: None,
        }
    }

    /// Takes the next place, and tells how long after `now` it is.
    pub(in crate::cloud::aws) fn next(&mut self, now: Instant) -> Duration {
        let empty = self.empty.map_or(now, |empty| empty.max(now));
        let room = self.interval * self.burst.saturating_sub(1);
        self.empty = Some(empty + self.interval);
        empty.duration_since(now).saturating_sub(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_at_once_and_the_rest_one_by_one() {
        let mut pace = Pace::new(3, Duration::from_millis(500));
        let start = Instant::now();
        let mut now = start;
        let mut waits = Vec::new();
        for _ in 0..6 {
            let wait = pace.next(now);
            waits.push(wait.as_millis());
            now += wait;
        }
        assert_eq!(waits, [0, 0, 0, 500, 500, 500]);
        // A pause makes room again, for no more than the burst.
        now += Duration::from_millis(600);
        assert_eq!(pace.next(now).as_millis(), 0);
        assert_eq!(pace.next(now).as_millis(), 400);
        now += Duration::from_secs(3600);
        let after: Vec<_> = (0..4).map(|_| pace.next(now).as_millis()).collect();
        assert_eq!(after, [0, 0, 0, 500]);
    }
}
