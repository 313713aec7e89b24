//! A small grammar: what an adapter says to CrateDB, and nothing else.

mod change;

use serde_json::{Number, Value};

pub(super) use change::Change;

use super::table::{Column, Policy, Type};
use super::token::{Token, tokens};
use super::{Done, Refused};

/// A relation's schema and name.
pub(super) type Name = (String, String);

#[derive(Debug)]
pub(super) enum Statement {
    Create(Create),
    Drop {
        name: Name,
        if_exists: bool,
    },
    Refresh(Name),
    /// A column is added.
    Alter(Name, Column),
    Insert(Insert),
    Change(Change),
    Select(Select),
}

#[derive(Debug)]
pub(super) struct Create {
    pub(super) name: Name,
    pub(super) if_not_exists: bool,
    pub(super) columns: Vec<Column>,
    pub(super) key: Vec<String>,
    pub(super) shards: Option<u64>,
    pub(super) partitioned_by: Vec<String>,
    pub(super) replicas: Option<String>,
}

#[derive(Debug)]
pub(super) struct Insert {
    pub(super) name: Name,
    pub(super) columns: Vec<String>,
    /// Whether rows come as the columns of UNNEST.
    pub(super) is_unnest: bool,
    pub(super) marks: usize,
}

#[derive(Debug)]
pub(super) struct Select {
    pub(super) items: Vec<Expr>,
    pub(super) from: From,
    pub(super) condition: Option<Expr>,
    pub(super) group: Vec<Expr>,
    pub(super) order: Vec<Expr>,
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
}

#[derive(Debug)]
pub(super) enum From {
    Nothing,
    Relation(Name),
    Subquery(Box<Select>),
}

#[derive(Debug, Clone)]
pub(super) enum Expr {
    Star,
    Column(String),
    Value(Value),
    /// The parameter of this number, from 0.
    Parameter(usize),
    Call(String, Vec<Expr>),
    Cast(Box<Expr>, Type),
    Field(Box<Expr>, String),
    Same(Box<Expr>, Box<Expr>),
    More(Box<Expr>, Box<Expr>),
    Between(Box<Expr>, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
}

/// Reads one statement.
pub(super) fn statement(sql: &str) -> Done<Statement> {
    let mut reader = Reader { tokens: tokens(sql)?, at: 0, parameters: 0 };
    let statement = match &*reader.word()? {
        "create" => Statement::Create(reader.create()?),
        "drop" => {
            reader.expect("table")?;
            let if_exists = reader.takes_all(&["if", "exists"])?;
            Statement::Drop { name: reader.relation()?, if_exists }
        }
        "alter" => {
            reader.expect("table")?;
            let name = reader.relation()?;
            reader.expect("add")?;
            reader.expect("column")?;
            Statement::Alter(name, reader.column()?)
        }
        "refresh" => {
            reader.expect("table")?;
            Statement::Refresh(reader.relation()?)
        }
        "insert" => Statement::Insert(reader.insert()?),
        "update" => Statement::Change(reader.update()?),
        "delete" => Statement::Change(reader.delete()?),
        "select" => Statement::Select(reader.select()?),
        other => {
            return Err(Refused::parse(format!("ParsingException[mismatched input '{other}']")));
        }
    };
    reader.takes_mark(";");
    match reader.peek() {
        None => Ok(statement),
        Some(token) => Err(Refused::parse(format!("ParsingException[extraneous input {token:?}]"))),
    }
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    parameters: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes(&mut self, word: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Word(next)) if next == word);
        self.at += usize::from(is);
        is
    }

    fn takes_all(&mut self, words: &[&str]) -> Done<bool> {
        if !self.takes(words[0]) {
            return Ok(false);
        }
        words[1..].iter().try_for_each(|word| self.expect(word))?;
        Ok(true)
    }

    fn takes_mark(&mut self, mark: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Mark(next)) if *next == mark);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, word: &str) -> Done<()> {
        if self.takes(word) { Ok(()) } else { Err(self.unexpected(word)) }
    }

    fn expect_mark(&mut self, mark: &str) -> Done<()> {
        if self.takes_mark(mark) { Ok(()) } else { Err(self.unexpected(mark)) }
    }

    fn unexpected(&self, wanted: &str) -> Refused {
        Refused::parse(format!(
            "ParsingException[mismatched input {:?} expecting '{wanted}']",
            self.peek()
        ))
    }

    fn word(&mut self) -> Done<String> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.unexpected("a word")),
        }
    }

    /// An identifier; bare ones are in lower case.
    fn name(&mut self) -> Done<String> {
        match self.peek() {
            Some(Token::Word(name) | Token::Name(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    fn relation(&mut self) -> Done<Name> {
        let first = self.name()?;
        if self.takes_mark(".") { Ok((first, self.name()?)) } else { Ok(("doc".to_owned(), first)) }
    }

    fn number<T: std::str::FromStr>(&mut self) -> Done<T> {
        let word = self.word()?;
        word.parse().map_err(|_| self.unexpected("a number"))
    }

    /// Something in brackets, with commas between.
    fn list<T>(&mut self, mut each: impl FnMut(&mut Reader) -> Done<T>) -> Done<Vec<T>> {
        self.expect_mark("(")?;
        let mut list = vec![each(self)?];
        while self.takes_mark(",") {
            list.push(each(self)?);
        }
        self.expect_mark(")")?;
        Ok(list)
    }

    fn create(&mut self) -> Done<Create> {
        self.expect("table")?;
        let if_not_exists = self.takes_all(&["if", "not", "exists"])?;
        let name = self.relation()?;
        let mut key = Vec::new();
        let items = self.list(|reader| {
            if reader.takes_all(&["primary", "key"])? {
                key = reader.list(Reader::name)?;
                return Ok(None);
            }
            reader.column().map(Some)
        })?;
        let columns: Vec<Column> = items.into_iter().flatten().collect();
        let mut create = Create {
            name,
            if_not_exists,
            columns,
            key,
            shards: None,
            partitioned_by: Vec::new(),
            replicas: None,
        };
        if self.takes_all(&["clustered", "into"])? {
            create.shards = Some(self.number()?);
            self.expect("shards")?;
        }
        if self.takes_all(&["partitioned", "by"])? {
            create.partitioned_by = self.list(Reader::name)?;
        }
        if self.takes("with") {
            let options = self.list(|reader| {
                let name = reader.name()?;
                reader.expect_mark("=")?;
                Ok((name, reader.primary()?))
            })?;
            for (name, value) in options {
                match (&*name, value) {
                    ("number_of_replicas", Expr::Value(value)) => {
                        create.replicas =
                            Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                    }
                    _ => {
                        return Err(Refused::parse(format!(
                            "SQLParseException[Invalid property \"{name}\"]"
                        )));
                    }
                }
            }
        }
        Ok(create)
    }

    fn column(&mut self) -> Done<Column> {
        let name = self.name()?;
        let mut column = Column::new(name, self.data_type()?);
        loop {
            if self.takes_all(&["not", "null"])? {
                column.is_nullable = false;
            } else if self.takes_all(&["index", "off"])? {
                column.is_indexed = false;
            } else if self.takes_all(&["storage", "with"])? {
                self.list(|reader| {
                    reader.expect("columnstore")?;
                    reader.expect_mark("=")?;
                    reader.expect("false")
                })?;
            } else if self.takes_all(&["generated", "always", "as", "date_trunc"])? {
                let unit_and_column = self.list(Reader::primary)?;
                match &unit_and_column[..] {
                    [Expr::Value(unit), Expr::Column(of)] => {
                        let unit = unit.as_str().unwrap_or_default().to_owned();
                        column.generated = Some((unit, of.clone()));
                    }
                    _ => return Err(self.unexpected("a unit and a column")),
                }
            } else {
                return Ok(column);
            }
        }
    }

    fn data_type(&mut self) -> Done<Type> {
        Ok(match &*self.word()? {
            "boolean" => Type::Bool,
            "smallint" => Type::Small,
            "integer" | "int" => Type::Int,
            "bigint" | "long" => Type::Big,
            "real" => Type::Real,
            "double" => {
                self.expect("precision")?;
                Type::Double
            }
            "numeric" if matches!(self.peek(), Some(Token::Mark("("))) => {
                let parts: Vec<u32> = self.list(Reader::number)?;
                Type::Numeric(parts[0], parts.get(1).copied().unwrap_or_default())
            }
            // Without precision there is no storage, but there is a value.
            "numeric" => Type::Numeric(u32::MAX, 0),
            "text" => Type::Text(None),
            "varchar" => Type::Text(Some(self.list(Reader::number)?[0])),
            "timestamp" => {
                if self.takes("with") || self.takes("without") {
                    self.expect("time")?;
                    self.expect("zone")?;
                }
                Type::Timestamp
            }
            "object" => self.object()?,
            "array" => Type::Array(Box::new(self.list(Reader::data_type)?.remove(0))),
            other => {
                return Err(Refused::parse(format!(
                    "ParsingException[Cannot find data type: {other}]"
                )));
            }
        })
    }

    fn object(&mut self) -> Done<Type> {
        let policy = match &*self.list(Reader::word)?[0] {
            "strict" => Policy::Strict,
            "ignored" => Policy::Ignored,
            _ => Policy::Dynamic,
        };
        let fields = if self.takes("as") { self.list(Reader::column)? } else { Vec::new() };
        Ok(Type::Object(policy, fields))
    }

    fn insert(&mut self) -> Done<Insert> {
        self.expect("into")?;
        let name = self.relation()?;
        let columns = self.list(Reader::name)?;
        let mark = |reader: &mut Reader| reader.expect_mark("?");
        if self.takes("values") {
            let marks = self.list(mark)?.len();
            return Ok(Insert { name, columns, is_unnest: false, marks });
        }
        let marks = self.list(|reader| {
            reader.expect("select")?;
            reader.expect_mark("*")?;
            reader.expect("from")?;
            reader.expect("unnest")?;
            Ok(reader.list(mark)?.len())
        })?;
        Ok(Insert { name, columns, is_unnest: true, marks: marks[0] })
    }

    fn select(&mut self) -> Done<Select> {
        let items = self.commas(Reader::expr)?;
        let from = if !self.takes("from") {
            From::Nothing
        } else if self.takes_mark("(") {
            self.expect("select")?;
            let inner = self.select()?;
            self.expect_mark(")")?;
            self.takes("as");
            self.name()?;
            From::Subquery(Box::new(inner))
        } else {
            From::Relation(self.relation()?)
        };
        let condition = if self.takes("where") { Some(self.expr()?) } else { None };
        let group =
            if self.takes_all(&["group", "by"])? { self.commas(Reader::expr)? } else { Vec::new() };
        let order =
            if self.takes_all(&["order", "by"])? { self.commas(Reader::expr)? } else { Vec::new() };
        let limit = if self.takes("limit") { Some(self.number()?) } else { None };
        let offset = if self.takes("offset") { self.number()? } else { 0 };
        Ok(Select { items, from, condition, group, order, limit, offset })
    }

    fn commas<T>(&mut self, mut each: impl FnMut(&mut Reader) -> Done<T>) -> Done<Vec<T>> {
        let mut list = vec![each(self)?];
        while self.takes_mark(",") {
            list.push(each(self)?);
        }
        Ok(list)
    }

    fn expr(&mut self) -> Done<Expr> {
        let mut left = self.and()?;
        while self.takes("or") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Done<Expr> {
        let mut left = self.comparison()?;
        while self.takes("and") {
            left = Expr::And(Box::new(left), Box::new(self.comparison()?));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Done<Expr> {
        let left = self.primary()?;
        if self.takes_mark("=") {
            return Ok(Expr::Same(Box::new(left), Box::new(self.primary()?)));
        }
        if self.takes_mark(">") {
            return Ok(Expr::More(Box::new(left), Box::new(self.primary()?)));
        }
        if self.takes("between") {
            let low = self.primary()?;
            self.expect("and")?;
            return Ok(Expr::Between(Box::new(left), Box::new(low), Box::new(self.primary()?)));
        }
        Ok(left)
    }

    fn primary(&mut self) -> Done<Expr> {
        let mut value = self.atom()?;
        loop {
            if self.takes_mark("::") {
                value = Expr::Cast(Box::new(value), self.data_type()?);
            } else if self.takes_mark("[") {
                let Some(Token::Text(field)) = self.peek().cloned() else {
                    return Err(self.unexpected("a field's name"));
                };
                self.at += 1;
                self.expect_mark("]")?;
                value = Expr::Field(Box::new(value), field);
            } else {
                return Ok(value);
            }
        }
    }

    fn atom(&mut self) -> Done<Expr> {
        let Some(token) = self.peek().cloned() else {
            return Err(self.unexpected("an expression"));
        };
        self.at += 1;
        match token {
            Token::Mark("*") => Ok(Expr::Star),
            Token::Mark("?") => {
                self.parameters += 1;
                Ok(Expr::Parameter(self.parameters - 1))
            }
            Token::Mark("$") => {
                let number: usize = self.number()?;
                let number = number.checked_sub(1);
                Ok(Expr::Parameter(number.ok_or_else(|| self.unexpected("a number from 1"))?))
            }
            Token::Mark("(") => {
                let inner = self.expr()?;
                self.expect_mark(")")?;
                Ok(inner)
            }
            Token::Mark("-") => {
                let number: i64 = self.number()?;
                Ok(Expr::Value(Value::Number(Number::from(-number))))
            }
            Token::Text(text) => Ok(Expr::Value(Value::String(text))),
            Token::Name(name) => Ok(Expr::Column(name)),
            Token::Word(word) => self.word_or_call(word),
            Token::Mark(_) => Err(self.unexpected("an expression")),
        }
    }

    fn word_or_call(&mut self, word: String) -> Done<Expr> {
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            let number: i64 = word.parse().map_err(|_| self.unexpected("a number"))?;
            return Ok(Expr::Value(Value::Number(Number::from(number))));
        }
        if !self.takes_mark("(") {
            return Ok(Expr::Column(word));
        }
        if self.takes_mark(")") {
            return Ok(Expr::Call(word, Vec::new()));
        }
        self.at -= 1;
        Ok(Expr::Call(word, self.list(Reader::expr)?))
    }
}
