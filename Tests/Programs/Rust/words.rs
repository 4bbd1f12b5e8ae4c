// words FILE...: counts words, with what Rust's standard library does on WASI.
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant, SystemTime};

fn count(reader: impl BufRead) -> io::Result<BTreeMap<String, usize>> {
    let mut counts = HashMap::new();
    for line in reader.lines() {
        for word in line?.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
            *counts.entry(word.to_lowercase()).or_insert(0) += 1;
        }
    }
    Ok(counts.into_iter().collect())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    println!("{:?}", arguments);
    for path in &arguments {
        match fs::File::open(path) {
            Ok(file) => {
                let counts = count(io::BufReader::new(file))?;
                let mut by: Vec<_> = counts.iter().collect();
                by.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
                println!("{}: {} words, {:?}", path, counts.len(), &by[..by.len().min(5)]);
            }
            Err(e) => println!("{}: {:?}", path, e.kind()),
        }
    }
    fs::create_dir_all("rust/a/b")?;
    let mut file = fs::OpenOptions::new().read(true).write(true).create(true).open("rust/a/b/file")?;
    for i in 0..1000 {
        writeln!(file, "line {} {:.3} {:e}", i, (i as f64).sqrt(), 1.0 / (i as f64 + 0.5))?;
    }
    file.seek(SeekFrom::Start(100))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    println!("{} bytes, {} lines, {:?}", text.len(), text.lines().count(), text.lines().last());
    fs::rename("rust/a/b/file", "rust/moved")?;
    let mut names: Vec<_> = fs::read_dir("rust")?.map(|e| e.map(|e| (e.file_name().into_string().unwrap(), e.file_type().unwrap().is_dir()))).collect::<Result<_, _>>()?;
    names.sort();
    println!("{:?} {}", names, fs::metadata("rust/moved")?.len());
    fs::remove_dir_all("rust")?;
    println!("{:?}", fs::metadata("rust").map_err(|e| e.kind()).err());
    println!("{:?}", fs::read("../outside").map(|_| ()).map_err(|e| e.kind() == io::ErrorKind::NotFound).is_err());
    let start = Instant::now();
    std::thread::sleep(Duration::from_millis(5));
    println!("{} {}", start.elapsed() >= Duration::from_millis(5), SystemTime::now() > SystemTime::UNIX_EPOCH);
    io::stderr().write_all(b"to the standard error\n")?;
    let numbers: Vec<u64> = (1..=20u64).scan(1u64, |p, n| { *p *= n; Some(*p) }).collect();
    println!("{:?}", numbers.last());
    if arguments.is_empty() {
        let empty: Vec<u32> = Vec::new();
        println!("{}", empty[arguments.len()]);
    }
    std::process::exit(3)
}
