//! Which maps share a buffer: one that nobody will read any more makes room for the next.

use crate::ops::gpu::{Operand, Recorder};

/// A buffer for each map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The buffer of each map.
    pub place: Vec<usize>,
    /// The size of each buffer, in bytes.
    pub sizes: Vec<u64>,
}

/// The bytes of a map: whole words.
pub fn bytes(map: &(usize, bool), half: bool) -> u64 {
    let value = if half && !map.1 { 2 } else { 4 };
    (map.0 as u64 * value).next_multiple_of(4)
}

/// Finds a buffer for each map. The maps of `lasting` (what is uploaded and what is read back) keep theirs from the first call to
/// the last.
pub fn lay_out(recorder: &Recorder, lasting: &[usize], half: bool) -> Layout {
    let maps = &recorder.maps;
    let mut last = vec![0; maps.len()];
    for (i, job) in recorder.jobs.iter().enumerate() {
        for read in &job.reads {
            if let Operand::Map(map) = read {
                last[*map] = i;
            }
        }
        last[job.writes] = last[job.writes].max(i);
    }
    let filled = recorder.filled.iter().map(|(map, _)| *map);
    for map in lasting.iter().copied().chain(filled) {
        last[map] = usize::MAX;
    }
    let mut layout = Layout {
        place: vec![usize::MAX; maps.len()],
        sizes: Vec::new(),
    };
    let mut free: Vec<usize> = Vec::new();
    let give = |layout: &mut Layout, free: &mut Vec<usize>, map: usize, fresh: bool| {
        if layout.place[map] != usize::MAX {
            return;
        }
        let size = bytes(&maps[map], half);
        // The smallest that suffices, else the largest, made larger: fewer buffers, less memory.
        let suits = |&(_, &buffer): &(usize, &usize)| layout.sizes[buffer] >= size;
        let spare = free.iter().enumerate();
        let best = (spare.clone().filter(suits)).min_by_key(|&(_, &buffer)| layout.sizes[buffer]);
        let best = best.or_else(|| spare.max_by_key(|&(_, &buffer)| layout.sizes[buffer]));
        let place = best.map(|(place, _)| place).filter(|_| !fresh);
        layout.place[map] = match place {
            Some(place) => free.swap_remove(place),
            None => {
                layout.sizes.push(0);
                layout.sizes.len() - 1
            }
        };
        let buffer = layout.place[map];
        layout.sizes[buffer] = layout.sizes[buffer].max(size);
    };
    for (map, _) in last
        .iter()
        .enumerate()
        .filter(|&(_, &last)| last == usize::MAX)
    {
        give(&mut layout, &mut free, map, true);
    }
    for (i, job) in recorder.jobs.iter().enumerate() {
        give(&mut layout, &mut free, job.writes, false);
        let mut done: Vec<usize> = job
            .reads
            .iter()
            .filter_map(|read| match read {
                Operand::Map(map) if last[*map] == i => Some(layout.place[*map]),
                _ => None,
            })
            .collect();
        // What nobody reads, or is read twice by one call.
        if last[job.writes] == i {
            done.push(layout.place[job.writes]);
        }
        done.sort_unstable();
        done.dedup();
        free.extend(done);
    }
    layout
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::gpu::UNARY;

    #[test]
    fn a_chain_takes_two_buffers_and_its_ends() {
        let mut r = Recorder::default();
        let maps: Vec<_> = (0..6).map(|i| r.map(vec![10 + i])).collect();
        for pair in maps.windows(2) {
            r.each(
                &UNARY,
                pair[1].len(),
                &[0, 0],
                &[Operand::Map(pair[0].id)],
                pair[1].id,
            );
        }
        let layout = lay_out(&r, &[0, 5], false);
        assert_eq!(layout.sizes.len(), 4);
        assert_eq!(layout.sizes.iter().sum::<u64>(), 4 * (10 + 15 + 13 + 14));
        // Nobody writes what it reads.
        for job in &r.jobs {
            let Operand::Map(read) = job.reads[0] else {
                panic!("a map")
            };
            assert_ne!(layout.place[read], layout.place[job.writes]);
        }
    }

    #[test]
    fn half_precision_takes_half_in_whole_words() {
        assert_eq!(bytes(&(3, false), true), 8);
        assert_eq!(bytes(&(3, true), true), 12);
        assert_eq!(bytes(&(3, false), false), 12);
    }
}
