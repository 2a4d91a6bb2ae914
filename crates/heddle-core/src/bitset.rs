//! A growing set of small numbers: which definitions a proc was given.

/// See the module.
#[derive(Debug, Default)]
pub struct BitSet {
    words: Vec<u64>,
}

impl BitSet {
    /// Adds a number; true when it is new.
    #[inline]
    pub fn insert(&mut self, at: u32) -> bool {
        let (word, bit) = (at as usize / 64, 1 << (at % 64));
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        new
    }

    /// Takes a number out; true when it was there.
    pub fn remove(&mut self, at: u32) -> bool {
        let bit = 1 << (at % 64);
        let Some(word) = self.words.get_mut(at as usize / 64) else {
            return false;
        };
        let there = *word & bit != 0;
        *word &= !bit;
        there
    }
}
