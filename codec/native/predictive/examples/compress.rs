//! Compresses a tensor natively, for the test that compares with WebAssembly: `compress f16|bf16|f32 C H W <TENSOR >STREAM`.

use latentbox_predictive::{compress, decompress, DType};
use std::io::{Read, Write};

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dtype, sizes @ ..] = arguments.as_slice() else { return Err("usage: compress DTYPE C H W".to_owned()) };
    let dtype = match dtype.as_str() {
        "f16" => DType::F16,
        "bf16" => DType::Bf16,
        "f32" => DType::F32,
        other => return Err(format!("unknown type {other}")),
    };
    let sizes: Vec<usize> = sizes.iter().map(|size| size.parse().map_err(|_| format!("not a size: {size}"))).collect::<Result<_, _>>()?;
    let shape: [usize; 3] = sizes.try_into().map_err(|_| "usage: compress DTYPE C H W".to_owned())?;
    let mut tensor = Vec::new();
    std::io::stdin().read_to_end(&mut tensor).map_err(|error| error.to_string())?;
    let stream = compress(&tensor, dtype, shape)?.ok_or("no tensor for this codec")?;
    if decompress(&stream, dtype, shape)? != tensor {
        return Err("the tensor does not come back".to_owned());
    }
    std::io::stdout().write_all(&stream).map_err(|error| error.to_string())
}
