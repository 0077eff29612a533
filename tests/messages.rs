//! Refusals, word by word: they are what a student reads.

mod common;

use kernelscope::Tensor;
use kernelscope::ops::Op;
use kernelscope::options::{Options, Value};

fn option(name: &str, value: impl Into<Value>) -> Options {
    [(name.to_string(), value.into())].into()
}

fn tensor(shape: &[usize]) -> Tensor {
    Tensor::from_fn(shape, |i| i as f32).expect("a tensor")
}

fn parse(options: Options) -> String {
    Op::parse("conv2d", &options)
        .expect_err("a refusal")
        .to_string()
}

fn run(options: Options, x: &[usize], weight: &[usize], bias: Option<&[usize]>) -> String {
    let op = Op::parse("conv2d", &options).expect("options");
    let bias = bias.map(tensor);
    op.run(&[Some(&tensor(x)), Some(&tensor(weight)), bias.as_ref()])
        .expect_err("a refusal")
        .to_string()
}

#[test]
fn options() {
    let whole = "conv2d: stride must be a whole number of at least 1; got";
    for (value, got) in [
        (0.0, "0"),
        (-1.0, "-1"),
        (1.5, "1.5"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        assert_eq!(parse(option("stride", value)), format!("{whole} {got}"));
    }
    assert_eq!(
        parse(option("dilation", 1e9)),
        "conv2d: dilation must be a whole number from 1 to 1048576; got 1000000000"
    );
    assert_eq!(
        parse(option("stride", "2")),
        "conv2d: stride must be a whole number of at least 1 or a pair of them; got \"2\""
    );
    assert_eq!(
        parse(option("stride", [1usize, 0])),
        "conv2d: stride must be two whole numbers of at least 1; got [1, 0]"
    );
    let three = "conv2d: stride must be one number or two [vertical, horizontal]; got [1, 1, 1]";
    assert_eq!(parse(option("stride", [1usize, 1, 1])), three);
    assert_eq!(
        parse(option("stride", Value::Null)),
        "conv2d: stride must be a whole number of at least 1 or a pair of them; got null"
    );
    assert_eq!(
        parse(option("padding", -1.0)),
        "conv2d: padding must be a whole number of at least 0; got -1"
    );
    assert_eq!(
        parse(option("padding", "full")),
        "conv2d: padding must be a number of pixels, \"same\" or \"valid\"; got \"full\""
    );
    assert_eq!(
        parse(option("paddingMode", "mirror")),
        "conv2d: paddingMode must be \"zeros\" or \"reflect\" or \"replicate\" or \"circular\"; got \"mirror\""
    );
    assert_eq!(
        parse(option("groups", 0usize)),
        "conv2d: groups must be a whole number of at least 1; got 0"
    );
    assert_eq!(
        parse(option("strides", 2usize)),
        "conv2d: unknown option \"strides\"; known options: stride, padding, dilation, paddingMode, groups"
    );
    let same = [
        ("padding".to_string(), "same".into()),
        ("stride".to_string(), 2usize.into()),
    ]
    .into();
    assert_eq!(
        parse(same),
        "conv2d: padding \"same\" keeps the size and needs stride 1; got stride [2, 2]"
    );
}

#[test]
fn shapes() {
    let plain = Options::new();
    assert_eq!(
        run(plain.clone(), &[7, 7], &[1, 1, 3, 3], None),
        "conv2d: x must have shape (C, H, W) or (N, C, H, W); got (7, 7)"
    );
    assert_eq!(
        run(plain.clone(), &[1, 7, 7], &[3, 3], None),
        "conv2d: weight must have shape (C_out, C_in/groups, kh, kw); got (3, 3)"
    );
    assert_eq!(
        run(plain.clone(), &[3, 7, 7], &[2, 1, 3, 3], None),
        "conv2d: weight must have shape (C_out, C_in/groups, kh, kw) with C_in/groups = 3/1 = 3 for x of shape (3, 7, 7); \
         got (2, 1, 3, 3)"
    );
    assert_eq!(
        run(plain.clone(), &[1, 7, 7], &[2, 1, 3, 3], Some(&[3])),
        "conv2d: bias must have shape (C_out) = (2); got (3)"
    );
    assert_eq!(
        run(option("groups", 2usize), &[3, 7, 7], &[2, 1, 3, 3], None),
        "conv2d: groups must divide C_in = 3 and C_out = 2; got 2"
    );
    assert_eq!(
        run(plain, &[1, 4, 4], &[1, 1, 5, 5], None),
        "conv2d: the kernel (5×5) is larger than the padded input (4×4)"
    );
    assert_eq!(
        run(option("dilation", 2usize), &[1, 7, 7], &[1, 1, 5, 5], None),
        "conv2d: the kernel (5×5, dilation 2: spans 9×9) is larger than the padded input (7×7)"
    );
    let reflect = |by: usize| -> Options {
        [
            ("padding".to_string(), by.into()),
            ("paddingMode".to_string(), "reflect".into()),
        ]
        .into()
    };
    assert_eq!(
        run(reflect(4), &[1, 4, 5], &[1, 1, 3, 3], None),
        "conv2d: reflect padding must be smaller than the input's height (4); got 4"
    );
}

#[test]
fn inputs_names_and_positions() {
    let conv = Op::parse("conv2d", &Options::new()).expect("an operator");
    let (x, weight) = (tensor(&[1, 4, 4]), tensor(&[1, 1, 3, 3]));
    assert_eq!(
        conv.run(&[Some(&x)]).expect_err("a refusal").to_string(),
        "conv2d: takes the inputs x, weight and bias (or none); got 1 of them"
    );
    assert_eq!(
        conv.explain(&[Some(&x), Some(&weight)], &[0, 2, 0])
            .expect_err("a refusal")
            .to_string(),
        "conv2d: the position (0, 2, 0) lies outside the output of shape (1, 2, 2)"
    );
    let unknown = Op::parse("conv3d", &Options::new())
        .expect_err("a refusal")
        .to_string();
    assert!(
        unknown.starts_with("conv3d: unknown operator; known: conv2d, relu"),
        "{unknown}"
    );
}

#[test]
fn sizes_beyond_memory() {
    let huge: Options = [("padding".to_string(), (1usize << 20).into())].into();
    let message = run(huge, &[1, 4, 4], &[1, 1, 3, 3], None);
    assert_eq!(
        message,
        "conv2d: a tensor of shape (1, 2097154, 2097154) does not fit into memory"
    );
}

#[test]
fn pooling() {
    let parse =
        |op: &str, options: Options| Op::parse(op, &options).expect_err("a refusal").to_string();
    assert_eq!(
        parse("max_pool2d", Options::new()),
        "max_pool2d: kernelSize must be a whole number of at least 1 or a pair of them; got nothing"
    );
    let with = |name: &str, value: Value| -> Options {
        [
            ("kernelSize".to_string(), 3usize.into()),
            (name.to_string(), value),
        ]
        .into()
    };
    assert_eq!(
        parse("max_pool2d", with("padding", 2usize.into())),
        "max_pool2d: padding must be at most half the kernel (3×3); got [2, 2]"
    );
    assert_eq!(
        parse("avg_pool2d", with("ceilMode", 1usize.into())),
        "avg_pool2d: ceilMode must be true or false; got 1"
    );
    assert_eq!(
        parse("avg_pool2d", with("dilation", 2usize.into())),
        "avg_pool2d: unknown option \"dilation\"; known options: kernelSize, stride, padding, ceilMode, countIncludePad"
    );
    let op = Op::parse("max_pool2d", &with("stride", 1usize.into())).expect("an operator");
    let refusal = |shape: &[usize]| {
        op.run(&[Some(&tensor(shape))])
            .expect_err("a refusal")
            .to_string()
    };
    assert_eq!(
        refusal(&[1, 2, 5]),
        "max_pool2d: the kernel (3×3) is larger than the padded input (2×5)"
    );
    assert_eq!(
        refusal(&[5, 5]),
        "max_pool2d: x must have shape (C, H, W) or (N, C, H, W); got (5, 5)"
    );
    assert_eq!(
        op.run(&[]).expect_err("a refusal").to_string(),
        "max_pool2d: takes the inputs x; got 0 of them"
    );
}
