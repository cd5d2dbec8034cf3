//! What people are called: as they write it, and as a login spells it.

/// Given names; the second form is the login's when it differs.
const GIVEN: &[(&str, &str)] = &[
    ("Aaliyah", ""),
    ("Adaeze", ""),
    ("Agnieszka", ""),
    ("Ahmed", ""),
    ("Aiko", ""),
    ("Aisha", ""),
    ("Alejandro", ""),
    ("Amelia", ""),
    ("Ana", ""),
    ("Anders", ""),
    ("André", "andre"),
    ("Anika", ""),
    ("Anna", ""),
    ("Antoine", ""),
    ("Arjun", ""),
    ("Astrid", ""),
    ("Ayşe", "ayse"),
    ("Beatriz", ""),
    ("Björn", "bjoern"),
    ("Camille", ""),
    ("Carlos", ""),
    ("Chiara", ""),
    ("Chidi", ""),
    ("Claire", ""),
    ("Daan", ""),
    ("Daniel", ""),
    ("David", ""),
    ("Diego", ""),
    ("Elena", ""),
    ("Elif", ""),
    ("Emeka", ""),
    ("Emil", ""),
    ("Emma", ""),
    ("Erik", ""),
    ("Esther", ""),
    ("Fatima", ""),
    ("Felix", ""),
    ("Finn", ""),
    ("Francesca", ""),
    ("Freya", ""),
    ("Gabriel", ""),
    ("Giulia", ""),
    ("Grace", ""),
    ("Hana", ""),
    ("Hannah", ""),
    ("Haruto", ""),
    ("Hassan", ""),
    ("Helena", ""),
    ("Hiroshi", ""),
    ("Ibrahim", ""),
    ("Ines", ""),
    ("Isabel", ""),
    ("Ivan", ""),
    ("Jakub", ""),
    ("Jana", ""),
    ("Javier", ""),
    ("Jelena", ""),
    ("Jin", ""),
    ("João", "joao"),
    ("Johanna", ""),
    ("José", "jose"),
    ("Julia", ""),
    ("Jürgen", "juergen"),
    ("Kaito", ""),
    ("Karim", ""),
    ("Katarzyna", ""),
    ("Kavya", ""),
    ("Keiko", ""),
    ("Khadija", ""),
    ("Kwame", ""),
    ("Lars", ""),
    ("Laura", ""),
    ("Lea", ""),
    ("Leila", ""),
    ("Leon", ""),
    ("Lina", ""),
    ("Lucas", ""),
    ("Lucía", "lucia"),
    ("Magda", ""),
    ("Malik", ""),
    ("Marco", ""),
    ("Maria", ""),
    ("Marta", ""),
    ("Mateo", ""),
    ("Matthias", ""),
    ("Mei", ""),
    ("Mikael", ""),
    ("Milan", ""),
    ("Minh", ""),
    ("Mohammed", ""),
    ("Nadia", ""),
    ("Naomi", ""),
    ("Neha", ""),
    ("Nia", ""),
    ("Nikhil", ""),
    ("Noah", ""),
    ("Nora", ""),
    ("Olga", ""),
    ("Oliver", ""),
    ("Omar", ""),
    ("Oscar", ""),
    ("Paolo", ""),
    ("Paul", ""),
    ("Pia", ""),
    ("Priya", ""),
    ("Rafael", ""),
    ("Rania", ""),
    ("Ravi", ""),
    ("Renée", "renee"),
    ("Rosa", ""),
    ("Sakura", ""),
    ("Samir", ""),
    ("Sara", ""),
    ("Sebastian", ""),
    ("Seo-yeon", ""),
    ("Sofia", ""),
    ("Søren", "soeren"),
    ("Stefan", ""),
    ("Sven", ""),
    ("Tariq", ""),
    ("Tatiana", ""),
    ("Thabo", ""),
    ("Théo", "theo"),
    ("Thomas", ""),
    ("Tomáš", "tomas"),
    ("Uma", ""),
    ("Valentina", ""),
    ("Vikram", ""),
    ("Wanjiru", ""),
    ("Wei", ""),
    ("Xin", ""),
    ("Yara", ""),
    ("Yuki", ""),
    ("Yusuf", ""),
    ("Zainab", ""),
    ("Zoë", "zoe"),
];

/// Family names, as above.
const FAMILY: &[(&str, &str)] = &[
    ("Abdullah", ""),
    ("Adeyemi", ""),
    ("Ahmadi", ""),
    ("Almeida", ""),
    ("Andersen", ""),
    ("Aydın", "aydin"),
    ("Bailey", ""),
    ("Bakker", ""),
    ("Banerjee", ""),
    ("Bauer", ""),
    ("Becker", ""),
    ("Bernard", ""),
    ("Bianchi", ""),
    ("Boateng", ""),
    ("Brandt", ""),
    ("Brown", ""),
    ("Campbell", ""),
    ("Carvalho", ""),
    ("Castillo", ""),
    ("Chaudhary", ""),
    ("Chukwu", ""),
    ("Costa", ""),
    ("Demir", ""),
    ("Desai", ""),
    ("Diallo", ""),
    ("Dubois", ""),
    ("Edwards", ""),
    ("Eriksson", ""),
    ("Farah", ""),
    ("Ferrari", ""),
    ("Fischer", ""),
    ("Fontaine", ""),
    ("Fujita", ""),
    ("Garcia", ""),
    ("Gómez", "gomez"),
    ("Gruber", ""),
    ("Gupta", ""),
    ("Haddad", ""),
    ("Hansen", ""),
    ("Hashimoto", ""),
    ("Hernández", "hernandez"),
    ("Hoffmann", ""),
    ("Horvat", ""),
    ("Huang", ""),
    ("Ito", ""),
    ("Ivanova", ""),
    ("Iyer", ""),
    ("Jansen", ""),
    ("Jensen", ""),
    ("Johansson", ""),
    ("Kamara", ""),
    ("Kaya", ""),
    ("Keller", ""),
    ("Khan", ""),
    ("Kim", ""),
    ("Kowalski", ""),
    ("Kozlov", ""),
    ("Krüger", "krueger"),
    ("Kumar", ""),
    ("Lam", ""),
    ("Laurent", ""),
    ("Lehmann", ""),
    ("Lindqvist", ""),
    ("Lopes", ""),
    ("MacDonald", ""),
    ("Maier", ""),
    ("Marino", ""),
    ("Martin", ""),
    ("Mbeki", ""),
    ("Mehta", ""),
    ("Mendes", ""),
    ("Moreau", ""),
    ("Moreno", ""),
    ("Müller", "mueller"),
    ("Mwangi", ""),
    ("Nair", ""),
    ("Nakamura", ""),
    ("Neumann", ""),
    ("Nguyen", ""),
    ("Nielsen", ""),
    ("Novák", "novak"),
    ("O'Brien", "obrien"),
    ("Oduya", ""),
    ("Okonkwo", ""),
    ("Olsen", ""),
    ("Ortiz", ""),
    ("Park", ""),
    ("Patel", ""),
    ("Pereira", ""),
    ("Petrov", ""),
    ("Popescu", ""),
    ("Rahman", ""),
    ("Ramírez", "ramirez"),
    ("Rao", ""),
    ("Reddy", ""),
    ("Richter", ""),
    ("Romano", ""),
    ("Roy", ""),
    ("Sato", ""),
    ("Schmidt", ""),
    ("Schröder", "schroeder"),
    ("Sharma", ""),
    ("Silva", ""),
    ("Singh", ""),
    ("Smit", ""),
    ("Suzuki", ""),
    ("Svensson", ""),
    ("Taylor", ""),
    ("Thompson", ""),
    ("Torres", ""),
    ("Toure", ""),
    ("Tran", ""),
    ("Vargas", ""),
    ("Virtanen", ""),
    ("Vogel", ""),
    ("Wagner", ""),
    ("Walsh", ""),
    ("Wang", ""),
    ("Wójcik", "wojcik"),
    ("Wolf", ""),
    ("Yamamoto", ""),
    ("Yılmaz", "yilmaz"),
    ("Zhang", ""),
    ("Zimmermann", ""),
];

use std::collections::HashSet;

use crate::demo::chance::Chance;

/// A login such as `zoe.mueller` and the name as people write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FullName {
    pub(crate) login: String,
    pub(crate) display: String,
}

/// Hands out names, none twice.
pub(crate) struct Names {
    chance: Chance,
    taken: HashSet<String>,
}

// === impl Names ===

impl Names {
    pub(crate) fn new(chance: Chance) -> Self {
        Self { chance, taken: HashSet::new() }
    }

    /// A name that is always the same, such as the administrator's.
    pub(crate) fn fixed(&mut self, login: &str, display: &str) -> FullName {
        self.taken.insert(login.to_owned());
        FullName { login: login.to_owned(), display: display.to_owned() }
    }

    /// Another name.
    pub(crate) fn next(&mut self) -> FullName {
        let given = self.chance.pick(GIVEN).copied().unwrap_or_default();
        let family = self.chance.pick(FAMILY).copied().unwrap_or_default();
        let display = format!("{} {}", given.0, family.0);
        let login = format!("{}.{}", spelled(given), spelled(family));
        if self.taken.insert(login.clone()) {
            return FullName { login, display };
        }
        // Namesakes get a middle initial, then a number.
        let initial = char::from(b'A' + u8::try_from(self.chance.between(0, 25)).unwrap_or(0));
        let lower = initial.to_ascii_lowercase();
        let display = format!("{} {initial}. {}", given.0, family.0);
        let base = format!("{}.{lower}.{}", spelled(given), spelled(family));
        let free = std::iter::once(base.clone())
            .chain((2..).map(|number| format!("{base}{number}")))
            .find(|login| self.taken.insert(login.clone()));
        FullName { login: free.unwrap_or(base), display }
    }
}

fn spelled((written, login): (&str, &str)) -> String {
    if login.is_empty() { written.to_lowercase() } else { login.to_owned() }
}

#[cfg(test)]
mod tests {
    use tally_types::PersonName;

    use super::*;

    #[test]
    fn five_thousand_logins_are_names_and_none_stands_twice() {
        let mut names = Names::new(Chance::new(7, &[]));
        let all: Vec<FullName> = (0..5_000).map(|_| names.next()).collect();
        let logins: HashSet<&str> = all.iter().map(|name| name.login.as_str()).collect();
        assert_eq!(logins.len(), all.len());
        for name in &all {
            assert!(name.login.parse::<PersonName>().is_ok(), "{name:?}");
        }
    }
}
