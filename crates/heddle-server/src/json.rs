//! A writer of the few JSON objects that answer queries. Values are written as they come: nothing
//! is built in memory but the text.

/// One JSON object being written.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    text: &'a mut String,
    first: bool,
}

impl<'a> Object<'a> {
    /// Writes one object to the end of `text`.
    pub fn write(text: &'a mut String, fields: impl FnOnce(&mut Object<'_>)) {
        text.push('{');
        let mut object = Object { text, first: true };
        fields(&mut object);
        object.text.push('}');
    }

    fn key(&mut self, name: &str) {
        if !std::mem::take(&mut self.first) {
            self.text.push(',');
        }
        string(self.text, name);
        self.text.push(':');
    }

    /// A number.
    pub fn number(&mut self, name: &str, value: impl Into<u64>) -> &mut Self {
        self.key(name);
        self.text.push_str(&value.into().to_string());
        self
    }

    /// A number measured elsewhere and sent as a double; what is not finite becomes 0.
    pub fn double(&mut self, name: &str, value: f64) -> &mut Self {
        self.key(name);
        let value = if value.is_finite() { value } else { 0.0 };
        self.text.push_str(&value.to_string());
        self
    }

    /// A string.
    pub fn string(&mut self, name: &str, value: &str) -> &mut Self {
        self.key(name);
        string(self.text, value);
        self
    }

    /// An object.
    pub fn object(&mut self, name: &str, fields: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        self.key(name);
        Object::write(self.text, fields);
        self
    }

    /// An array of objects, one per item.
    pub fn array<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        fields: impl Fn(&mut Object<'_>, T),
    ) -> &mut Self {
        self.key(name);
        self.text.push('[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            Object::write(self.text, |object| fields(object, item));
        }
        self.text.push(']');
        self
    }
}

pub(crate) fn string(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            c if c < ' ' => text.push_str(&format!("\\u{:04x}", c as u32)),
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_nested_values_and_escapes() {
        let mut text = String::new();
        Object::write(&mut text, |object| {
            object
                .number("a", 1u32)
                .string("b\"", "x\\\n")
                .double("c", f64::NAN);
            object.object("d", |_| {}).array("e", [1u32, 2], |o, n| {
                o.number("n", n);
            });
        });
        assert_eq!(
            text,
            r#"{"a":1,"b\"":"x\\\u000a","c":0,"d":{},"e":[{"n":1},{"n":2}]}"#
        );
    }
}
