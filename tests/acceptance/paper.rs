//! The report on paper: others' tools read in it what the page says, and no more.

use std::path::Path;
use std::process::{Command, Output};

use crate::bundle::{PRIVATE, Story, text};

/// What one of the poppler tools says of a file.
pub(crate) fn poppler(tool: &str, before: &[&str], pdf: &Path, after: &[&str]) -> Vec<u8> {
    let output = Command::new(tool).args(before).arg(pdf).args(after).output();
    let Output { status, stdout, stderr } = output.unwrap_or_else(|why| panic!("{tool} of poppler-utils: {why}"));
    assert!(status.success(), "{tool}: {}", String::from_utf8_lossy(&stderr));
    stdout
}

/// Without spaces and ends of lines: paper breaks lines elsewhere than a page does.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

/// The rows of every table of a page, each as all its cells.
fn rows(html: &str) -> Vec<String> {
    let cells = |row: &str| -> String {
        let parts = row.split(['<', '>']).skip(1).step_by(2).zip(row.split(['<', '>']).skip(2).step_by(2));
        let said = parts.filter(|(tag, _)| matches!(*tag, "td" | "th")).map(|(_, said)| said);
        let said: Vec<&str> = said.collect();
        said.concat().replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    };
    html.split("<tr>").skip(1).map(|rest| cells(rest.split("</tr>").next().unwrap_or_default())).collect()
}

/// What the QR code on a sheet says.
fn scanned(pdf: &Path) -> String {
    // A portable grey map: its kind, width, height and the lightest value, then one byte each.
    let image = poppler("pdftoppm", &["-gray", "-r", "150", "-f", "1", "-l", "1"], pdf, &[]);
    let mut header = Vec::new();
    let mut at = 0;
    while header.len() < 4 {
        let end = at + image[at..].iter().position(u8::is_ascii_whitespace).unwrap();
        header.push(String::from_utf8(image[at..end].to_vec()).unwrap());
        at = end + 1;
    }
    assert_eq!((header[0].as_str(), header[3].as_str()), ("P5", "255"));
    let (width, height): (usize, usize) = (header[1].parse().unwrap(), header[2].parse().unwrap());
    let mut sheet = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| image[at + y * width + x]);
    let grids = sheet.detect_grids();
    let [grid] = grids.as_slice() else { panic!("{} QR codes", grids.len()) };
    grid.decode().expect("a QR code").1
}

#[tokio::test]
async fn paper_says_what_the_page_says_and_no_more() {
    let story = Story::told(&[]).await;
    for reader in ["police", "regulator", "foi"] {
        let bag = story.unpack(&story.export(reader));
        let pdf = bag.join("data/report.pdf");
        let read = String::from_utf8(poppler("pdftotext", &["-raw", "-enc", "UTF-8"], &pdf, &["-"])).unwrap();
        let on_paper = squeezed(&read);
        let rows = rows(&text(&bag, "data/report.html"));
        assert!(rows.len() > 30, "{rows:?}");
        for row in &rows {
            assert!(on_paper.contains(&squeezed(row)), "{reader}: {row:?} is not in\n{read}");
        }
        if reader != "police" {
            for private in PRIVATE {
                assert!(!on_paper.to_lowercase().contains(&squeezed(private)), "{private:?} is in the report for {reader}");
            }
        }

        let said = String::from_utf8(poppler("pdfinfo", &[], &pdf, &[])).unwrap();
        let fact = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
        assert_eq!((fact("Tagged:"), fact("Title:")), ("yes".to_owned(), format!("Activation KAL-1, for: {reader}")), "{said}");
        let sheets: Vec<&str> = read.split_terminator('\u{c}').collect();
        assert_eq!(fact("Pages:"), sheets.len().to_string());
        for (sheet, number) in sheets.iter().zip(1..) {
            let origin = "alerts.example.org/kalamunda/1";
            let foot = format!("Activation KAL-1 \u{b7} {origin} \u{b7} for: {reader} Page {number} of {}", sheets.len());
            assert!(squeezed(sheet).ends_with(&squeezed(&foot)), "{foot:?} is not at the end of\n{sheet}");
        }

        let checkpoint = text(&bag, "data/checkpoint");
        let signed: String = checkpoint.split_inclusive('\n').take(3).collect();
        assert_eq!(scanned(&pdf), signed);
    }
}

/// Whoever has the paper needs no key and nobody's word to see whether a record is still the one that it was printed of.
#[tokio::test]
async fn a_record_is_held_against_the_code_on_a_report() {
    let story = Story::told(&[]).await;
    let bag = story.unpack(&story.export("police"));
    let code = scanned(&bag.join("data/report.pdf"));
    let paper = bag.join("scanned.txt");
    let audited = |said: &str| {
        std::fs::write(&paper, said).unwrap();
        let Output { status, stdout, stderr } = story.daemon.run(&["verify", "--json", "--paper", paper.to_str().unwrap()]);
        let report = serde_json::from_slice::<serde_json::Value>(&stdout);
        (status.code(), report.unwrap_or_default(), String::from_utf8_lossy(&stderr).into_owned())
    };
    let [name, size, root] = code.lines().collect::<Vec<_>>().try_into().expect("three lines");
    let size: u64 = size.parse().unwrap();
    let (status, report, _) = audited(&code.replace('\n', "\r\n"));
    assert_eq!((status, report["covered_from_outside_to"].as_u64()), (Some(0), Some(size)), "{report}");
    let (status, report, _) = audited(&format!("{name}\n{}\n{root}\n", size - 1));
    let wrong = report["findings"].as_array().unwrap().iter().filter(|finding| finding["wrong"] == true);
    let wrong: Vec<_> = wrong.map(|finding| finding["what"].as_str().unwrap()).collect();
    assert_eq!((status, wrong), (Some(1), vec!["paper_differs"]), "{report}");
    let (status, _, said) = audited(&root[..20]);
    assert!(status == Some(2) && said.contains("these are not the three lines of a checkpoint"), "{said}");
}
