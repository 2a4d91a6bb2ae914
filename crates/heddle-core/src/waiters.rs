//! Lists of rows that wait for a row: one node per edge of an explicit layer, from one pool. A list exists only
//! while it can be of use: from the consumer's activation until the value is inline, or, for a stored value
//! (which can be lost), until no active consumer is left. So finished work holds no edges backward.
//!
//! A list is a u64: the first row inverted in the lower half (many rows have one reader and need no node), the
//! first node in the upper half. Lists of stored rows are counted lists: a node that counts, then one per row.

use crate::id::Task;

#[derive(Clone, Copy, Debug)]
struct Node {
    task: Task,
    next: u32,
}

/// See the module. Node 0 is the end of every list.
#[derive(Debug)]
pub struct Waiters {
    nodes: Vec<Node>,
    free: u32,
    live: u32,
}

impl Waiters {
    /// No lists.
    pub fn new() -> Waiters {
        Waiters {
            nodes: vec![Node {
                task: Task::NONE,
                next: 0,
            }],
            free: 0,
            live: 0,
        }
    }

    /// Makes room for about as many edges at once.
    pub fn reserve(&mut self, edges: usize) {
        self.nodes.reserve(edges / 2);
    }

    /// Adds a row to a list; returns the list.
    #[inline]
    pub fn add(&mut self, list: u64, task: Task) -> u64 {
        if list as u32 == 0 {
            return list | u64::from(!task.0);
        }
        let head = self.push((list >> 32) as u32, task);
        u64::from(head) << 32 | u64::from(list as u32)
    }

    /// Appends the rows of lists to `rows`, of lists of one row to `sole`, and gives the lists back. Walks all lists
    /// side by side, so that their cache misses overlap; `heads` is scratch.
    pub fn drain(
        &mut self,
        lists: impl Iterator<Item = u64>,
        rows: &mut Vec<Task>,
        sole: &mut Vec<Task>,
        heads: &mut Vec<u32>,
    ) {
        heads.clear();
        for list in lists {
            let first = Task(!(list as u32));
            if list >> 32 != 0 {
                heads.push((list >> 32) as u32);
                if list as u32 != 0 {
                    rows.push(first);
                }
            } else if list as u32 != 0 {
                sole.push(first);
            }
        }
        while !heads.is_empty() {
            let mut left = 0;
            for i in 0..heads.len() {
                if let Some((task, next)) = self.pop(heads[i]) {
                    rows.push(task);
                    heads[left] = next;
                    left += usize::from(next != 0);
                }
            }
            heads.truncate(left);
        }
    }

    /// Rows of a list.
    pub fn rows(&self, list: u64) -> impl Iterator<Item = Task> + '_ {
        let first = (list as u32 != 0).then_some(Task(!(list as u32)));
        first.into_iter().chain(self.iter((list >> 32) as u32))
    }

    /// Puts `task` before the nodes from `head`; returns the new head.
    #[inline]
    fn push(&mut self, head: u32, task: Task) -> u32 {
        let node = Node { task, next: head };
        self.live += 1;
        if self.free == 0 {
            self.nodes.push(node);
            return self.nodes.len() as u32 - 1;
        }
        let at = self.free;
        self.free = self.nodes[at as usize].next;
        self.nodes[at as usize] = node;
        at
    }

    /// Takes the first node out; returns its row and the rest.
    #[inline]
    fn pop(&mut self, head: u32) -> Option<(Task, u32)> {
        if head == 0 {
            return None;
        }
        let Node { task, next } = self.nodes[head as usize];
        self.nodes[head as usize].next = self.free;
        self.free = head;
        self.live -= 1;
        Some((task, next))
    }

    /// Puts `task` into a list that begins with a node that counts the others; returns its head.
    pub fn push_counted(&mut self, head: u32, task: Task) -> u32 {
        if head == 0 {
            let first = self.push(0, task);
            return self.push(first, Task(1));
        }
        let next = self.push(self.nodes[head as usize].next, task);
        let node = &mut self.nodes[head as usize];
        node.next = next;
        node.task.0 += 1;
        head
    }

    /// Makes a counted list of a list; returns its head.
    pub fn count(&mut self, list: u64) -> u32 {
        if list == 0 {
            return 0;
        }
        let mut head = (list >> 32) as u32;
        if list as u32 != 0 {
            head = self.push(head, Task(!(list as u32)));
        }
        let rows = self.iter(head).count() as u32;
        self.push(head, Task(rows))
    }

    /// Rows in a list that begins with a counting node.
    pub fn counted(&self, head: u32) -> u32 {
        if head == 0 {
            0
        } else {
            self.nodes[head as usize].task.0
        }
    }

    /// Rows of nodes, from `head` on.
    pub fn iter(&self, head: u32) -> impl Iterator<Item = Task> + '_ {
        let mut at = head;
        std::iter::from_fn(move || {
            (at != 0).then(|| {
                let node = self.nodes[at as usize];
                at = node.next;
                node.task
            })
        })
    }

    /// Gives a list (plain or, with the lower half 0, counted) back.
    pub fn free(&mut self, list: u64) {
        let mut head = (list >> 32) as u32;
        while let Some((_, next)) = self.pop(head) {
            head = next;
        }
    }

    /// Gives back the memory of a pool nobody uses.
    pub fn shrink(&mut self) {
        if self.live == 0 && self.nodes.len() > 4096 {
            self.nodes.truncate(1);
            self.nodes.shrink_to_fit();
            self.free = 0;
        }
    }
}
