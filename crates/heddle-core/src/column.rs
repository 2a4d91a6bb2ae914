//! Columns as they lie in a frame: little-endian bytes read in place. Needing no alignment, they let a verified
//! frame be applied without a copy and without unsafe code; `get` compiles to one load.

macro_rules! column {
    ($(#[$doc:meta])* $name:ident, $item:ty, $bytes:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name<'a>(&'a [u8]);

        impl<'a> $name<'a> {
            /// A column over little-endian bytes; a tail shorter than one item is ignored.
            #[inline]
            pub fn new(bytes: &'a [u8]) -> Self {
                $name(bytes)
            }

            /// Items.
            #[inline]
            pub fn len(&self) -> usize {
                self.0.len() / $bytes
            }

            /// True when the column is absent or empty.
            #[inline]
            pub fn is_empty(&self) -> bool {
                self.0.len() < $bytes
            }

            /// Item `i`, or `absent` when the column does not reach so far.
            #[inline]
            pub fn get_or(&self, i: usize, absent: $item) -> $item {
                match self.0.get(i * $bytes..i * $bytes + $bytes) {
                    Some(b) => {
                        let mut a = [0u8; $bytes];
                        a.copy_from_slice(b);
                        <$item>::from_le_bytes(a)
                    }
                    None => absent,
                }
            }

            /// Item `i`; 0 beyond the end.
            #[inline]
            pub fn get(&self, i: usize) -> $item {
                self.get_or(i, 0)
            }

            /// All items in order.
            #[inline]
            pub fn iter(&self) -> impl Iterator<Item = $item> + 'a {
                self.0.chunks_exact($bytes).map(|b| {
                    let mut a = [0u8; $bytes];
                    a.copy_from_slice(b);
                    <$item>::from_le_bytes(a)
                })
            }
        }
    };
}

column!(
    /// A column of u32.
    U32s, u32, 4
);
column!(
    /// A column of i32.
    I32s, i32, 4
);
column!(
    /// A column of u16.
    U16s, u16, 2
);
column!(
    /// A column of bytes.
    U8s, u8, 1
);

/// The little-endian bytes of `items`: what [`U32s::new`] reads.
pub fn u32_bytes(items: &[u32]) -> Vec<u8> {
    items.iter().flat_map(|item| item.to_le_bytes()).collect()
}
