//! Every rule of the table: the same bits on every instruction set, with any number of threads, and
//! after an interruption; settings by name; groups. What the rules compute is the Python tests' part,
//! which have a reference and PyTorch to compare with.
#![allow(clippy::unwrap_used)] // a helper of tests, too, should stop where it stands

use rayon::ThreadPoolBuilder;
use recurrentnn::element::Element;
use recurrentnn::kernels::Isa;
use recurrentnn::kernels::update::Rule;
use recurrentnn::matrix::Matrix;
use recurrentnn::optim::{
    AnyOptimizer, Average, Group, Moments, NAMES, Optimizer, Options, Sgd, Solver, UpdateRule,
    Value, step,
};
use recurrentnn::shape::Shape;
use recurrentnn::with_optimizer;

const STEPS: usize = 4;

/// Numbers in [-1, 1), other ones for every seed.
fn numbers<T: Element>(seed: usize, len: usize) -> Vec<T> {
    let number = |i: usize| ((i * 7919 + seed * 104_729) % 2003) as f64 / 1001.5 - 1.0;
    (0..len).map(|i| T::from_f64(number(i))).collect()
}

fn column<T: Element>(len: usize) -> Matrix<T> {
    Matrix::from_vec(Shape::new(len, 1), numbers(0, len)).unwrap()
}

fn steps<T: Element, R: UpdateRule>(
    isa: Isa,
    optimizer: &Optimizer<R>,
    moments: &mut Moments<T>,
    matrix: &Matrix<T>,
    seeds: std::ops::Range<usize>,
) {
    for seed in seeds {
        let gradient = numbers(seed + 1, matrix.shape().len());
        matrix.grad_mut().unwrap().copy_from_slice(&gradient);
        step(isa, optimizer, moments, &[(None, matrix)], 1).unwrap();
    }
}

/// The weights after some steps on so many threads.
fn run<T: Element, R: UpdateRule>(
    isa: Isa,
    optimizer: &Optimizer<R>,
    threads: usize,
    len: usize,
) -> Vec<T> {
    let matrix = column(len);
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap().install(|| {
        steps(isa, optimizer, &mut Moments::default(), &matrix, 0..STEPS);
    });
    matrix.to_vec().unwrap()
}

fn bits_agree<T: Element, R: UpdateRule>(optimizer: &Optimizer<R>) {
    let expected = run::<T, R>(Isa::PORTABLE, optimizer, 1, 140_003);
    assert_ne!(expected, numbers::<T>(0, 140_003), "{} moves", R::NAME);
    for isa in Isa::available() {
        for threads in [1, 3] {
            if (isa, threads) == (Isa::PORTABLE, 1) {
                continue; // that is what is expected
            }
            let found = run::<T, R>(isa, optimizer, threads, 140_003);
            assert!(found == expected, "{} on {}", R::NAME, isa.name());
        }
    }
}

fn resumed_agrees<T: Element, R: UpdateRule>(optimizer: &Optimizer<R>) {
    assert_eq!(R::MEMORY.len(), R::Kernel::MOST);
    let whole = run::<T, R>(Isa::best(), optimizer, 1, 100);
    let first = column::<T>(100);
    let mut moments = Moments::default();
    steps(Isa::best(), optimizer, &mut moments, &first, 0..2);

    let second = Matrix::from_vec(first.shape(), first.to_vec().unwrap()).unwrap();
    let kept = moments.get(&first).cloned();
    let mut moments = Moments::default();
    moments.set::<R>(vec![(&second, kept)]).unwrap();
    steps(Isa::best(), optimizer, &mut moments, &second, 2..STEPS);
    assert!(second.to_vec().unwrap() == whole, "{}", R::NAME);
}

/// Every rule with the usual settings, and with each of its switches and momenta on.
fn all(test: impl Fn(&AnyOptimizer)) {
    let rows = NAMES.iter().filter(|name| **name != Solver::NAME);
    let mut tried = 0;
    for name in rows {
        let usual = AnyOptimizer::by_name(name).unwrap();
        test(&usual);
        let mut changed = usual;
        with_optimizer!(&mut changed, |optimizer| {
            for name in [
                "momentum",
                "centered",
                "nesterov",
                "weight_decay",
                "clip_value",
            ] {
                let value = match optimizer.options().get(name) {
                    Ok(Value::Switch(_)) => Value::Switch(true),
                    Ok(_) => Value::Number(0.25),
                    Err(_) => continue,
                };
                optimizer.set(name, value).unwrap();
            }
        });
        test(&changed);
        tried += 1;
    }
    assert_eq!(tried, NAMES.len() - 1);
}

#[test]
fn every_rule_has_the_same_bits_on_all_instruction_sets_and_threads() {
    all(|any| {
        with_optimizer!(any, |optimizer| {
            // This takes longer than all other tests here together: a core for each type.
            std::thread::scope(|scope| {
                scope.spawn(|| bits_agree::<f32, _>(optimizer));
                bits_agree::<f64, _>(optimizer);
            });
        });
    });
}

#[test]
fn every_rule_goes_on_from_what_it_remembered() {
    all(|any| {
        with_optimizer!(any, |optimizer| {
            resumed_agrees::<f32, _>(optimizer);
            resumed_agrees::<f64, _>(optimizer);
        });
    });
}

#[test]
fn moments_that_do_not_fit_are_refused() {
    let (a, b) = (column::<f64>(3), column::<f64>(4));
    let optimizer = Optimizer::<Sgd>::from(Options {
        rule: Sgd {
            momentum: 0.5,
            ..Sgd::default()
        },
        ..Options::default()
    });
    let mut moments = Moments::default();
    steps(Isa::best(), &optimizer, &mut moments, &a, 0..1);
    let of_a = moments.get(&a).cloned();
    let set = |moments: &mut Moments<f64>, moment| moments.set::<Sgd>(vec![(&b, moment)]);
    let error = set(&mut moments, of_a.clone()).unwrap_err();
    assert_eq!(error.to_string(), "SGD: a memory of 3 numbers for 4x1");
    let mut twice = of_a.unwrap();
    twice.of_weights.push(vec![0.0; 3]);
    assert!(set(&mut moments, Some(twice)).is_err());
    assert!(moments.get(&b).is_none());
}

#[test]
fn settings_have_names_and_domains() {
    let mut optimizer = Optimizer::<Sgd>::default();
    let before = optimizer.clone();
    for (name, value) in [
        ("momentum", Value::Number(1.0)),
        ("momentum", Value::Switch(true)),
        ("nesterov", Value::Switch(true)),
        ("clip_norm", Value::Number(0.0)),
        ("learning_rate", Value::Number(f64::NAN)),
        ("decay_rate", Value::Number(0.5)),
    ] {
        let error = optimizer.set(name, value).unwrap_err().to_string();
        assert!(
            error.starts_with("SGD: ") && error.contains(name),
            "{error}"
        );
        assert_eq!(optimizer, before);
    }
    assert!(optimizer.set_rate_factor(-1.0).is_err());
    optimizer.set("momentum", Value::Number(0.5)).unwrap();
    optimizer.set("nesterov", Value::Switch(true)).unwrap();
    assert!(optimizer.options().rule.nesterov);
}

#[test]
fn a_group_has_settings_of_its_own() {
    let mut optimizer = Optimizer::<Sgd>::from(Options {
        learning_rate: 0.5,
        ..Options::default()
    });
    let group = |pattern: &str, name: &str, value: f64| Group {
        pattern: pattern.to_owned(),
        settings: vec![(name.to_owned(), Value::Number(value))],
    };
    optimizer
        .add_group(group("slow.*", "learning_rate", 0.25))
        .unwrap();
    optimizer
        .add_group(group("*.bias", "weight_decay", 0.5))
        .unwrap();
    assert!(optimizer.add_group(group("*", "clip_norm", 1.0)).is_err());
    assert!(optimizer.add_group(group("*", "momentum", 2.0)).is_err());
    optimizer.set_rate_factor(2.0).unwrap();
    let moved = |name: Option<&str>| {
        let w = Matrix::<f64>::full(Shape::SCALAR, 8.0);
        w.grad_mut().unwrap()[0] = 1.0;
        let all = [(name, &w)];
        step(Isa::best(), &optimizer, &mut Moments::default(), &all, 1).unwrap();
        8.0 - w.to_vec().unwrap()[0]
    };
    assert_eq!(moved(None), 1.0);
    assert_eq!(moved(Some("slow.weight")), 0.5);
    assert_eq!(moved(Some("slow.bias")), 0.5, "the first that matches");
    assert_eq!(moved(Some("fast.bias")), 5.0, "its decay is meant");
}

#[test]
fn the_mean_of_several_passes_is_stepped_by() {
    let optimizer = Optimizer::<Sgd>::from(Options {
        learning_rate: 1.0,
        ..Options::default()
    });
    let w = Matrix::<f64>::full(Shape::SCALAR, 0.0);
    w.grad_mut().unwrap()[0] = 6.0;
    let mut moments = Moments::default();
    assert!(step(Isa::best(), &optimizer, &mut moments, &[(None, &w)], 0).is_err());
    let stats = step(Isa::best(), &optimizer, &mut moments, &[(None, &w)], 4).unwrap();
    assert_eq!((stats.grad_norm, w.to_vec().unwrap()[0]), (1.5, -1.5));
}

#[test]
fn an_average_moves_and_trades_places() {
    let w = Matrix::<f64>::full(Shape::SCALAR, 1.0);
    let all = [(None, &w)];
    let mut average = Average::new(&all).unwrap();
    w.value_mut().unwrap()[0] = 3.0;
    average.update(Isa::best(), 0.75, &all).unwrap();
    assert_eq!(average.values(), [[1.5]]);
    average.swap(&all).unwrap();
    assert_eq!((w.to_vec().unwrap()[0], average.values()[0][0]), (1.5, 3.0));
    assert!(average.update(Isa::best(), 0.5, &[]).is_err());
    assert!(average.restore(vec![vec![0.0; 2]]).is_err());
    let held = w.value().unwrap();
    assert!(average.swap(&all).is_err());
    drop(held);
}
