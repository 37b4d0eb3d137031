//! What the words before a figure say of it: a telephone, a fax, or something that is no number to
//! call.
//!
//! Words are compared folded ([`folded`]): lower case, Latin letters without their marks. Long stems
//! count anywhere in a word, because German and its neighbours build compounds (`Mobilfunknummer`).

use crate::crm::search::folded;

/// So far back a label is looked for, in characters.
const REACH: usize = 48;

/// So many words before a figure may be its label.
const WORDS: usize = 4;

/// Stems of at least so many letters count inside a word too.
const COMPOUND: usize = 5;

/// Stems of at least so many letters count at the beginning of a word; shorter ones are whole words.
const BEGINNING: usize = 4;

/// What the words before a figure call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// Nothing that is known.
    None,
    /// A telephone.
    Phone,
    /// A fax.
    Fax,
    /// An account, an invoice, a date: nothing to call.
    Other,
}

const PHONE: &str = "
    t p m c d tf tl tlf tel telef telno ph phon phone fon mob mbl mobil handy cel cell celu gsm natel port
    portable movil hotline durchwahl zentrale direkt direct rufnummer ruckruf festnetz anruf dect
    whatsapp call ring sms puh puhelin matkap kom komork dt sdt appel llam chiam ligar rappel dzwon
    zadzwon тел телеф моб мобил сот звон звоните τηλ τηλεφ κιν κινητ هاتف الهاتف تلفن جوال الجوال موبايل
    اتصل טל טלפון נייד 電話 电话 手机 手機 携帯 座机 전화 휴대 핸드폰 연락처 โทร มือถือ फोन मोबाइल thoai
";

const FAX: &str = "
    f fx fax faxn faks phax telefax telecop факс φαξ فاكس פקס 传真 傳真 팩스 ファックス ファクス โทรสาร फैक्स
";

const OTHER: &str = "
    iban bic swift blz kto ktonr konto account acct routing sort compte cuenta conta conto rekening vat tva
    iva ust usti mwst steuer tax nip regon krs siret siren rcs cif nif cnpj cpf hrb hra kvk cvr orgnr ico dic
    инн кпп огрн счет счёт бик 税号 账号 帳號 口座
    rechnung invoice facture factura fattura faktura fatura factuur rg re inv order bestell auftrag commande
    pedido encomenda ordine zamowien objednav beleg заказ 订单 訂單 発注 注文 주문 发票 發票 請求 lieferschein sendung
    paket tracking shipment parcel colis article artikel item sku ean gtin isbn issn doi serial seri imei vin
    modell charge lot quote angebot offer devis
    kundenn kdnr mitgliedsn ticket case vorgang aktenzeichen az vertrag contract contrat contrato policy
    versicherung ref refer uuid id personaln matrikel passport ausweis pnr pesel
    version build release plz zip postal postcode code pin tan otp ip betrag amount montant importe total summe
    sum somme suma kwota preis price prix precio eur euro usd gbp chf pln czk sek nok dkk huf rub jpy cny inr brl
    date datum dated fecha data datei file page seite uhr time zeit qty menge anzahl quantity pos zahler room raum
";

/// Words that make a figure theirs when a number word follows: "Customer No. …".
const PEOPLE: &str =
    "kunde kunden customer client cliente klant klient zakaznik клиент member mitglied patient";

/// Words that say no more than that a figure follows.
const NUMBERS: &str =
    "nr no num numer number nummer numero n nro nb cislo № номер 号 番号 号码 號碼 번호";

/// Words that may stand between a label and its figure.
const FILLERS: &str = "
    is ist est es the my me mich meine mein mon ma mi at on unter under au a auf der die al под по be o
";

/// Reads the label at the end of what stands before a figure, in one line.
pub(super) fn before(text: &str) -> Label {
    let reach = text.char_indices().rev().take(REACH).last();
    let text = reach
        .and_then(|(start, _)| text.get(start..))
        .unwrap_or(text);
    // Only the cell of the figure: what stands before a bar or a bullet is of another one.
    let cell = text
        .rsplit(['|', '•', '·', ';', '\t', '·'])
        .next()
        .unwrap_or(text);
    if cell.contains(['📠', '🖷']) {
        return Label::Fax;
    }
    if cell.contains(['☎', '📞', '📱', '✆', '☏']) {
        return Label::Phone;
    }
    let folded = folded(cell);
    let mut words = folded
        .rsplit(|letter: char| !letter.is_alphanumeric() && letter != '№')
        .filter(|word| !word.is_empty())
        .take_while(|word| !word.starts_with(|first: char| first.is_ascii_digit()))
        .filter(|word| !is_one_of(word, FILLERS))
        .take(WORDS);
    let mut numbered = false;
    while let Some(word) = words.next() {
        numbered |= is_one_of(word, NUMBERS);
        match of_word(word) {
            Label::None if numbered && is_one_of(word, PEOPLE) => return Label::Other,
            Label::None => {}
            // "Tel./Fax: …" is both; who calls may call from it.
            Label::Fax
                if words
                    .next()
                    .is_some_and(|word| of_word(word) == Label::Phone) =>
            {
                let both = folded.contains(['/', '&', '+']) || folded.contains(" und ");
                return if both { Label::Phone } else { Label::Fax };
            }
            found => return found,
        }
    }
    Label::None
}

/// What one folded word says by itself.
fn of_word(word: &str) -> Label {
    let any = |stems: &str| stems.split_whitespace().any(|stem| has_stem(word, stem));
    if any(FAX) {
        Label::Fax
    } else if any(PHONE) {
        Label::Phone
    } else if any(OTHER) {
        Label::Other
    } else {
        Label::None
    }
}

fn is_one_of(word: &str, words: &str) -> bool {
    words.split_whitespace().any(|one| one == word)
}

fn has_stem(word: &str, stem: &str) -> bool {
    // A character of Chinese says as much as some letters, and Thai parts no words.
    let weight = |letter: char| if letter < '\u{e00}' { 1 } else { 3 };
    let length: usize = stem.chars().map(weight).sum();
    if length >= COMPOUND {
        word.contains(stem)
    } else if length >= BEGINNING {
        word.starts_with(stem)
    } else {
        word == stem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_that_says_something_is_the_label() {
        use Label::{Fax, None, Other, Phone};
        for (text, label) in [
            ("Tel.: ", Phone),
            ("Telefon (Büro) ", Phone),
            ("Mobilfunknummer: ", Phone),
            ("Rechnung per Telefon unter ", Phone),
            ("Numéro de téléphone : ", Phone),
            ("please call me at ", Phone),
            ("T ", Phone),
            ("☎ ", Phone),
            ("电话：", Phone),
            ("携帯 ", Phone),
            ("тел. ", Phone),
            ("هاتف: ", Phone),
            ("Fax: ", Fax),
            ("Telefax-Nr. ", Fax),
            ("Tel. 030 123456 | Fax ", Fax),
            ("Tel./Fax: ", Phone),
            ("Tel. & Fax ", Phone),
            ("传真：", Fax),
            ("Rechnungsnummer: ", Other),
            ("Invoice No. ", Other),
            ("Tel. zur Rechnung ", Other),
            ("Kundennr.: ", Other),
            ("Customer No. ", Other),
            ("Customer ", None),
            ("N° de facture : ", Other),
            ("Заказ № ", Other),
            ("订单号", Other),
            ("Anna Schmidt, ", None),
            ("", None),
        ] {
            assert_eq!(before(text), label, "{text}");
        }
    }
}
