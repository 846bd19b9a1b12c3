//! Length-limited Huffman codes, optimal for their histogram, in deflate's canonical form (RFC 1951, 3.2.2).

/// A code: `bits` are reversed already, as deflate sends them from the highest.
#[derive(Clone, Copy, Default)]
pub struct Code {
    pub bits: u16,
    pub length: u8,
}

/// The lengths of an optimal prefix code whose longest codeword is at most `limit` bits. Symbols that never occur get 0.
/// At least two symbols get a codeword, since some decoders refuse a tree of one leaf.
pub fn code_lengths(histogram: &[u32], limit: usize, lengths: &mut [u8]) {
    lengths.fill(0);
    // Sorting by (count, symbol) makes the result a function of the histogram alone.
    let mut leaves: Vec<(u32, u16)> = (0u16..)
        .zip(histogram)
        .filter(|&(_, &count)| count > 0)
        .map(|(symbol, &count)| (count, symbol))
        .collect();
    let unused = (0u16..).zip(histogram).filter(|&(_, &count)| count == 0);
    let missing = 2usize.saturating_sub(leaves.len());
    leaves.extend(unused.take(missing).map(|(symbol, _)| (1, symbol)));
    leaves.sort_unstable();
    let depths = huffman_depths(&leaves);
    let depths = if depths.iter().all(|&depth| depth as usize <= limit) {
        depths
    } else {
        package_merge(&leaves, limit)
    };
    for (&(_, symbol), &depth) in leaves.iter().zip(&depths) {
        lengths[symbol as usize] = depth;
    }
}

/// Depths of the leaves, which are sorted by count, in an unlimited Huffman tree (two queues, van Leeuwen).
fn huffman_depths(leaves: &[(u32, u16)]) -> Vec<u8> {
    let count = leaves.len();
    let mut weights: Vec<u32> = leaves.iter().map(|&(weight, _)| weight).collect();
    let mut parents = vec![0usize; 2 * count - 1];
    let (mut leaf, mut inner) = (0, count);
    for _ in 1..count {
        let made = weights.len();
        let mut weight = 0;
        for _ in 0..2 {
            let take_leaf = leaf < count && (inner == made || weights[leaf] <= weights[inner]);
            let taken = if take_leaf { &mut leaf } else { &mut inner };
            parents[*taken] = made;
            weight += weights[*taken];
            *taken += 1;
        }
        weights.push(weight);
    }
    let mut depths = vec![0u8; parents.len()];
    for node in (0..parents.len() - 1).rev() {
        depths[node] = depths[parents[node]] + 1;
    }
    depths.truncate(count);
    depths
}

/// Depths under a limit by package-merge (Larmore and Hirschberg 1990).
fn package_merge(leaves: &[(u32, u16)], limit: usize) -> Vec<u8> {
    let count = leaves.len();
    // One list a level: an item is a leaf or a package of two items of the level below.
    let mut levels: Vec<Vec<(u32, bool)>> =
        vec![leaves.iter().map(|&(weight, _)| (weight, true)).collect()];
    for level in 1..limit {
        let below = &levels[level - 1];
        let mut packages = below
            .chunks_exact(2)
            .map(|pair| pair[0].0 + pair[1].0)
            .peekable();
        let mut items = Vec::with_capacity(count + below.len() / 2);
        for &(weight, _) in leaves {
            while let Some(package) = packages.next_if(|&package| package < weight) {
                items.push((package, false));
            }
            items.push((weight, true));
        }
        items.extend(packages.map(|package| (package, false)));
        levels.push(items);
    }
    // The first 2n - 2 items of the top level; a leaf's depth is the number of levels that take it.
    let mut depths = vec![0u8; count];
    let mut take = 2 * count - 2;
    for items in levels.iter().rev() {
        let taken_leaves = items[..take].iter().filter(|item| item.1).count();
        for depth in &mut depths[..taken_leaves] {
            *depth += 1;
        }
        take = 2 * (take - taken_leaves);
    }
    depths
}

/// Canonical codes from lengths.
pub fn codes(lengths: &[u8], codes: &mut [Code]) {
    let mut next = [0u16; 16];
    let mut counts = [0u16; 16];
    for &length in lengths {
        counts[length as usize] += 1;
    }
    counts[0] = 0;
    for length in 1..16 {
        next[length] = (next[length - 1] + counts[length - 1]) << 1;
    }
    for (code, &length) in codes.iter_mut().zip(lengths) {
        *code = Code::default();
        if length > 0 {
            let bits = next[length as usize];
            next[length as usize] += 1;
            *code = Code {
                bits: bits.reverse_bits() >> (16 - length),
                length,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::code_lengths;

    fn kraft(lengths: &[u8]) -> f64 {
        lengths
            .iter()
            .filter(|&&length| length > 0)
            .map(|&length| 0.5f64.powi(i32::from(length)))
            .sum()
    }

    #[test]
    fn codes_are_complete_and_within_the_limit() {
        let mut fibonacci = vec![1u32, 1];
        while fibonacci.len() < 40 {
            fibonacci.push(fibonacci[fibonacci.len() - 1] + fibonacci[fibonacci.len() - 2]);
        }
        for limit in [7, 14, 15] {
            let mut lengths = vec![0u8; 40];
            code_lengths(&fibonacci, limit, &mut lengths);
            assert_eq!(kraft(&lengths), 1.0);
            assert!(lengths.iter().all(|&length| usize::from(length) <= limit));
        }
    }

    #[test]
    fn a_histogram_of_one_symbol_gets_two_codewords() {
        let mut lengths = [0u8; 30];
        code_lengths(
            &[
                0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                0, 0,
            ],
            15,
            &mut lengths,
        );
        assert_eq!(kraft(&lengths), 1.0);
        assert_eq!(lengths[2], 1);
    }
}
