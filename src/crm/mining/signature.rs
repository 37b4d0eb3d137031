//! Whose words are in a mail: the sender's own, the sender's signature, or somebody else's, quoted.
//!
//! Covers the signature separator (RFC 3676 section 4.3), quoting by `>` (section 4.5), and what mail
//! programs write over a quotation instead, in the languages that are common in mail. A number that is
//! quoted belongs to somebody else and says nothing of the sender.

use std::ops::Range;

use crate::crm::search::folded;

/// A closing stands in so many of the last lines that are not empty, or it is none.
const CLOSING_LINES: usize = 25;

/// A closing is not longer, in characters.
const CLOSING_LENGTH: usize = 60;

/// An attribution (`On … wrote:`) may take so many lines.
const ATTRIBUTION_LINES: usize = 3;

/// An attribution is not longer, in characters.
const ATTRIBUTION_LENGTH: usize = 400;

/// So many lines after `From:` the other headers of a quoted mail begin.
const HEADER_LINES: usize = 5;

/// Whose words they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The sender's text.
    Own,
    /// The sender's signature.
    Signature,
    /// Quoted or forwarded.
    Quoted,
}

/// The last word of an attribution, before its colon.
const WROTE: &str = "
    wrote writes schrieb geschrieben ecrit escribio scritto scrisse escreveu schreef napisal
    napisala napisal(a) napsal napsal(a) skrev kirjoitti yazdi irta пишет написал написала
    написал(а) писал έγραψε كتب כתב 写道 寫道 作成 のメール 작성 viet
";

/// The first word of an attribution that takes several lines.
const OPENERS: &str = "
    on am le el il em op den w dnia dne a pa ma în in στις в at
";

/// The first word of the first header of a quoted mail.
const FROM: &str = "
    from, von, de, da, van, od, fra, fran, lahettaja, kimden, felado, от, от кого, από, من, מאת, 发件人, 寄件者, 差出人, 보낸 사람
";

/// Its other headers.
const HEADERS: &str = "
    sent, date, to, cc, subject, gesendet, datum, an, betreff, envoye, a, objet, enviado, fecha,
    para, asunto, data, inviato, oggetto, assunto, verzonden, aan, onderwerp, wyslano, do, temat,
    odeslano, komu, predmet, skickat, till, amne, sendt, til, emne, lahetetty, vastaanottaja,
    aihe, gonderildi, kime, konu, отправлено, кому, тема, дата, 发送时间, 收件人, 主题, 日期, 送信日時, 宛先, 件名,
    보낸 날짜, 받는 사람, 제목
";

/// What a mail's last words before the name begin with.
const CLOSINGS: &str = "
    best, best regards, kind regards, regards, warm regards, sincerely, yours, cheers,
    thanks, thank you, many thanks, all the best, respectfully,
    mit freundlich, mit best, mit herzlich, freundliche gru, viele gru, beste gru, liebe gru,
    schone gru, herzliche gru, gruß, gruss, gruße, grusse, mfg, vg, lg, hochachtungsvoll,
    vielen dank, danke,
    cordialement, bien cordialement, bien a vous, salutations, sinceres salutations,
    veuillez agreer, merci, meilleures salutations, amicalement,
    saludos, un saludo, un cordial saludo, atentamente, cordialmente, atenciosamente,
    cumprimentos, melhores cumprimentos, com os melhores, abracos, obrigado, obrigada, cordiali saluti,
    distinti saluti, saluti, un saluto, grazie, gracias,
    met vriendelijke, vriendelijke groet, groet, groeten, mvg, med vanlig, vanliga halsningar, mvh,
    halsningar, med venlig, venlig hilsen, vennlig hilsen, med vennlig, hilsen, ystavallisin,
    terveisin,
    pozdrawiam, z powazaniem, z wyrazami, serdecznie, s pozdravem, s uctou, udvozlettel,
    tisztelettel, cu stima, cu respect, с уважением, всего доброго, з повагою, με εκτιμηση,
    με εκτίμηση, φιλικά, saygilar, iyi calismalar, iyi gunler,
    此致, 祝好, 谨启, 順頌, 敬具, よろしくお願い, 宜しくお願い, 감사합니다, 드림, تحياتي, مع خالص, وتفضلوا, בברכה,
    ขอแสดงความนับถือ, ด้วยความเคารพ, सादर, धन्यवाद, tran trong,
    sent from my, von meinem, gesendet von, envoye de mon, enviado desde mi, inviato da,
    skickat fran
";

/// Splits a mail's text into parts, in order; together they are the whole text.
pub(crate) fn parts(text: &str) -> Vec<(Part, Range<usize>)> {
    let lines = lines(text);
    let mut kinds = quoted(&lines);
    sign(&lines, &mut kinds);
    let mut parts: Vec<(Part, Range<usize>)> = Vec::new();
    for (line, kind) in lines.iter().zip(kinds) {
        match parts.last_mut() {
            Some((last, place)) if *last == kind => place.end = line.end,
            _ => parts.push((kind, line.start..line.end)),
        }
    }
    parts
}

struct Line<'a> {
    start: usize,
    /// Behind its line feed.
    end: usize,
    /// Without blanks around it.
    text: &'a str,
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    let lines = text.split_inclusive('\n').map(|line| {
        let begin = start;
        start += line.len();
        Line {
            start: begin,
            end: start,
            text: line.trim_end_matches(['\r', '\n']),
        }
    });
    lines.collect()
}

/// Says which lines are somebody else's.
fn quoted(lines: &[Line<'_>]) -> Vec<Part> {
    let mut kinds = Vec::with_capacity(lines.len());
    let mut rest = lines;
    while let Some((first, after)) = rest.split_first() {
        let marked = |line: &Line<'_>| line.text.trim_start().starts_with('>');
        if marked(first) {
            kinds.push(Part::Quoted);
            rest = after;
        } else if begins_forwarded(first.text, after) {
            // What a program copies under a heading goes to the end.
            break;
        } else if let Some(taken) = attribution(rest) {
            kinds.extend(std::iter::repeat_n(Part::Quoted, taken));
            rest = rest.get(taken..).unwrap_or_default();
            let next = rest.iter().find(|line| !line.text.trim().is_empty());
            if !next.is_some_and(marked) {
                // Without marks nobody can tell where the quotation ends.
                break;
            }
        } else {
            kinds.push(Part::Own);
            rest = after;
        }
    }
    kinds.resize(lines.len(), Part::Quoted);
    kinds
}

/// Whether a line begins a forwarded or answered mail that goes to the end.
fn begins_forwarded(line: &str, after: &[Line<'_>]) -> bool {
    let line = line.trim();
    let ruled =
        line.starts_with("---") && line.ends_with("---") && line.contains(char::is_alphabetic);
    if ruled || folded(line).starts_with("begin forwarded message") {
        return true;
    }
    let header = |line: &str, names: &str| {
        let line = line.trim().trim_matches('*');
        line.split_once([':', '：']).is_some_and(|(name, _)| {
            let name = folded(name.trim_end_matches('*'));
            names.split(',').any(|one| one.trim() == name)
        })
    };
    let others = after
        .iter()
        .filter(|line| !line.text.trim().is_empty())
        .take(HEADER_LINES)
        .filter(|line| header(line.text, HEADERS));
    header(line, FROM) && others.count() >= 2
}

/// How many lines an attribution takes; none when there is none.
fn attribution(lines: &[Line<'_>]) -> Option<usize> {
    let first = folded(lines.first()?.text);
    let word = first.split([' ', ',']).next().unwrap_or_default();
    let opens = OPENERS.split_whitespace().any(|opener| opener == word)
        || word.starts_with(|letter: char| letter.is_ascii_digit());
    let mut whole = String::new();
    let longest = if opens { ATTRIBUTION_LINES } else { 1 };
    for (index, line) in lines.iter().take(longest).enumerate() {
        let text = line.text.trim();
        if text.is_empty() || text.starts_with('>') {
            return None;
        }
        whole.push_str(text);
        whole.push(' ');
        if whole.chars().count() > ATTRIBUTION_LENGTH {
            return None;
        }
        if let Some(before) = whole.trim_end().strip_suffix([':', '：']) {
            return attributes(before).then_some(index + 1);
        }
    }
    None
}

/// Whether a sentence says when somebody wrote, or with which address.
fn attributes(sentence: &str) -> bool {
    let sentence = folded(sentence);
    let dated = sentence.contains(|letter: char| letter.is_ascii_digit() || letter == '@');
    // Some put the name behind the verb: "Am 12.5. schrieb Anna:".
    dated
        && sentence.split_whitespace().any(|word| {
            let word = word.trim_matches([',', ';']);
            WROTE
                .split_whitespace()
                .any(|wrote| word == wrote || (!wrote.is_ascii() && word.ends_with(wrote)))
        })
}

/// Says which of the sender's lines are the signature.
fn sign(lines: &[Line<'_>], kinds: &mut [Part]) {
    let own = |kinds: &[Part], index: usize| kinds.get(index) == Some(&Part::Own);
    let separator = (0..lines.len()).rev().find(|index| {
        own(kinds, *index)
            && lines
                .get(*index)
                .is_some_and(|line| is_separator(line.text))
    });
    let begin = separator.or_else(|| {
        let last: Vec<usize> = (0..lines.len())
            .rev()
            .filter(|index| own(kinds, *index))
            .filter(|index| {
                lines
                    .get(*index)
                    .is_some_and(|line| !line.text.trim().is_empty())
            })
            .take(CLOSING_LINES)
            .collect();
        let text = |index: usize| lines.get(index).map_or("", |line| line.text.trim());
        // The last lines come first. "Thanks" in a sentence that goes on is no closing.
        let goes_on = |place: usize| {
            let next = place.checked_sub(1).and_then(|next| last.get(next));
            next.is_some_and(|next| text(*next).starts_with(char::is_lowercase))
        };
        let mut begins = last.iter().enumerate().rev();
        begins
            .find(|(place, index)| is_closing(text(**index)) && !goes_on(*place))
            .map(|(_, index)| *index)
    });
    let Some(begin) = begin else { return };
    for kind in kinds.iter_mut().skip(begin) {
        if *kind == Part::Own {
            *kind = Part::Signature;
        }
    }
}

/// RFC 3676 section 4.3, and without the blank that programs cut off.
fn is_separator(line: &str) -> bool {
    matches!(line, "-- " | "--" | "--\u{a0}" | "—" | "__")
}

fn is_closing(line: &str) -> bool {
    let line = folded(line.trim_start_matches(['-', '*', ' ']));
    if line.is_empty() || line.chars().count() > CLOSING_LENGTH {
        return false;
    }
    let closings = CLOSINGS.split([',', '\n']).map(str::trim);
    closings
        .filter(|closing| !closing.is_empty())
        .any(|closing| {
            line.strip_prefix(closing).is_some_and(|rest| {
                // "Best" is a closing, "Best would be Tuesday" is none.
                let words = rest.split_whitespace().count();
                let short = closing.chars().count() < 9 && closing.is_ascii();
                let ends = rest.is_empty() || rest.starts_with([',', '.', '!', ' ', '…', ';', '/']);
                if short {
                    ends && (words <= 1 || rest.starts_with([',', '!']))
                } else {
                    words <= 6
                }
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter for each line: own, signature, quoted.
    fn letters(text: &str) -> String {
        let parts = parts(text);
        assert_eq!(parts.first().map_or(0, |part| part.1.start), 0);
        assert_eq!(parts.last().map_or(0, |part| part.1.end), text.len());
        let mut letters = String::new();
        for (part, place) in parts {
            let letter = match part {
                Part::Own => 'o',
                Part::Signature => 's',
                Part::Quoted => 'q',
            };
            letters.extend(std::iter::repeat_n(
                letter,
                text.get(place).unwrap().lines().count(),
            ));
        }
        letters
    }

    #[test]
    fn a_mail_is_split_into_own_words_signature_and_quotations() {
        for (text, expected) in [
            ("", ""),
            ("Hallo\nbis morgen\n", "oo"),
            ("Text\n-- \nAnna\n030 1234567\n", "osss"),
            ("Text\n--\nAnna\n", "oss"),
            ("Please call.\n\nBest regards,\nJohn\n", "ooss"),
            (
                "Bitte um Rückruf.\nMit freundlichen Grüßen\nAnna Schmidt\nTel. 1\n",
                "osss",
            ),
            ("Merci\nde me rappeler\nCordialement,\nLuc\n", "ooss"),
            ("Best would be Tuesday at ten.\nAnna\n", "oo"),
            ("Saludos,\nInés", "ss"),
            (
                "Fine.\n\nOn Mon, 4 May 2026 at 10:12, John Doe <j@example.com> wrote:\n> call 1\n> now\n",
                "ooqqq",
            ),
            (
                "Fine.\nOn Mon, 4 May 2026 at 10:12, John Doe\n<j@example.com> wrote:\n> call\nOk.\n-- \nAnna",
                "oqqqoss",
            ),
            (
                "Ja.\nAm 04.05.2026 um 10:12 schrieb Anna Schmidt:\nruf an\n",
                "oqq",
            ),
            (
                "Oui\nLe lun. 4 mai 2026 à 10:12, Luc <l@example.fr> a écrit :\n> oui\n",
                "oqq",
            ),
            (
                "好的\n在 2026年5月4日，王伟 <w@example.cn> 写道：\n> 电话\n",
                "oqq",
            ),
            ("Ok\n-----Original Message-----\nFrom: x\nTel 1\n", "oqqq"),
            (
                "Ok\n---------- Forwarded message ---------\nFrom: x\n",
                "oqq",
            ),
            (
                "Ok\nVon: Anna\nGesendet: Montag\nAn: Bert\nBetreff: x\n\nTel 1\n",
                "oqqqqqq",
            ),
            (
                "Ok\nDe : Anna\nEnvoyé : lundi\nÀ : Luc\nObjet : x\n\nTel 1\n",
                "oqqqqqq",
            ),
            ("Von: mir ist nichts bekannt\nText\n", "oo"),
            ("He wrote:\ncall me\n", "oo"),
            ("> quoted\nMine\nRegards\nBob\n", "qoss"),
            ("с уважением,\nИван\n", "ss"),
            ("よろしくお願いいたします。\n山田\n", "ss"),
            ("ok\r\n-- \r\nAnna\r\n", "oss"),
        ] {
            assert_eq!(letters(text), expected, "{text}");
        }
    }
}
