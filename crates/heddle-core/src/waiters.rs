//! Lists of rows that wait for a row: one node per edge of an explicit layer, from one pool. A list exists only
//! while it can be of use: from the consumer's activation until the value is inline, or, for a stored value
//! (which can be lost), until no active consumer is left. So finished work holds no edges backward.

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

    /// Nodes in lists.
    pub fn live(&self) -> u32 {
        self.live
    }

    /// Puts `task` before the list `head`; returns the new head.
    #[inline]
    pub fn push(&mut self, head: u32, task: Task) -> u32 {
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

    /// Takes the first node out; returns its row and the rest of the list.
    #[inline]
    pub fn pop(&mut self, head: u32) -> Option<(Task, u32)> {
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

    /// Puts a counting node before a plain list of rows.
    pub fn count(&mut self, head: u32) -> u32 {
        if head == 0 {
            return 0;
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

    /// Rows of a list.
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

    /// Gives a whole list back.
    pub fn free(&mut self, mut head: u32) {
        while let Some((_, next)) = self.pop(head) {
            head = next;
        }
        if self.live == 0 {
            self.nodes.truncate(1);
            self.nodes.shrink_to(1024);
            self.free = 0;
        }
    }
}
