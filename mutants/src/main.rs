//! `vaerans-mutants FILE...`: rewrites Rust files in place so that one build holds all their mutants. Where an operator
//! could be another, both stand, chosen by `crate::mutants::is(id)`; prints `id<TAB>file<TAB>line<TAB>change` for each. What
//! a constant is made of stays as it is, and so do tests, types, patterns and what stands in macros.
use proc_macro2::Span;
use quote::quote;
use std::{env, fs};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{parse_quote, Attribute, BinOp, Expr, ReturnType, Signature, Type, UnOp};

struct Mutator {
    file: String,
    next_id: u32,
}

impl Mutator {
    fn id(&mut self, at: Span, change: &str) -> u32 {
        self.next_id += 1;
        println!("{}\t{}\t{}\t{change}", self.next_id, self.file, at.start().line);
        self.next_id
    }

    fn enter(&mut self, signature: &Signature, block: &mut syn::Block) {
        visit_mut::visit_block_mut(self, block);
        let name = signature.ident.to_string();
        for value in early_values(&signature.output) {
            let id = self.id(signature.ident.span(), &format!("{name} returns {value}"));
            let value: Expr = syn::parse_str(value).expect("a value");
            block.stmts.insert(0, parse_quote!(if crate::mutants::is(#id) { return #value; }));
        }
    }
}

/// What a function could return at once, where its type is simple enough to tell.
fn early_values(output: &ReturnType) -> &'static [&'static str] {
    let ReturnType::Type(_, of) = output else { return &["()"] };
    let Type::Path(path) = &**of else { return &[] };
    let text = quote!(#path).to_string().replace(' ', "");
    match text.as_str() {
        "bool" => &["true", "false"],
        "u8" | "u16" | "u32" | "u64" | "usize" | "i16" | "i32" | "i64" => &["0", "1"],
        _ if text.starts_with("Result<(),") || text == "Result<()>" => &["Ok(())"],
        _ if text.starts_with("Option<") => &["None"],
        _ => &[],
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| quote!(#attribute).to_string().contains("test"))
}

fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

/// Operators in its place: the other direction, and for an order the one that differs at the border alone.
fn others(op: &BinOp) -> Vec<BinOp> {
    let list: &[&str] = match quote!(#op).to_string().as_str() {
        "+" => &["-"],
        "-" | "*" | "/" => &["+"],
        "%" => &["/"],
        "<<" => &[">>"],
        ">>" => &["<<"],
        "&" => &["|"],
        "|" | "^" => &["&"],
        "==" => &["!="],
        "!=" => &["=="],
        "<" => &["<=", ">="],
        "<=" => &["<", ">"],
        ">" => &[">=", "<="],
        ">=" => &[">", "<"],
        "&&" => &["||"],
        "||" => &["&&"],
        "+=" => &["-="],
        "-=" | "*=" => &["+="],
        "<<=" => &[">>="],
        ">>=" => &["<<="],
        "&=" => &["|="],
        "|=" | "^=" => &["&="],
        _ => &[],
    };
    list.iter().map(|op| syn::parse_str(op).expect("an operator")).collect()
}

impl VisitMut for Mutator {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        let original = expr.clone();
        match &original {
            Expr::Binary(binary) if !has_let(&original) => {
                let (left, op, right) = (&binary.left, &binary.op, &binary.right);
                for other in others(op) {
                    let change = format!("{} to {}", quote!(#op), quote!(#other));
                    let id = self.id(op.span(), &change);
                    let rest = expr.clone();
                    *expr = parse_quote!((if crate::mutants::is(#id) { #left #other #right } else { #rest }));
                }
            }
            Expr::Unary(unary) if !matches!(unary.op, UnOp::Deref(_)) && !matches!(&*unary.expr, Expr::Lit(_)) => {
                let (op, inner) = (&unary.op, &unary.expr);
                let id = self.id(op.span(), &format!("{} left out", quote!(#op)));
                *expr = parse_quote!((if crate::mutants::is(#id) { #inner } else { #original }));
            }
            _ => {}
        }
    }

    fn visit_expr_repeat_mut(&mut self, repeat: &mut syn::ExprRepeat) {
        self.visit_expr_mut(&mut repeat.expr);
    }

    fn visit_item_fn_mut(&mut self, item: &mut syn::ItemFn) {
        if item.sig.constness.is_none() && !is_test(&item.attrs) {
            let signature = item.sig.clone();
            self.enter(&signature, &mut item.block);
        }
    }

    fn visit_impl_item_fn_mut(&mut self, item: &mut syn::ImplItemFn) {
        if item.sig.constness.is_none() && !is_test(&item.attrs) {
            let signature = item.sig.clone();
            self.enter(&signature, &mut item.block);
        }
    }

    fn visit_item_mod_mut(&mut self, item: &mut syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit_mut::visit_item_mod_mut(self, item);
        }
    }

    fn visit_item_const_mut(&mut self, _: &mut syn::ItemConst) {}
    fn visit_item_static_mut(&mut self, _: &mut syn::ItemStatic) {}
    fn visit_impl_item_const_mut(&mut self, _: &mut syn::ImplItemConst) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_pat_mut(&mut self, _: &mut syn::Pat) {}
    fn visit_path_arguments_mut(&mut self, _: &mut syn::PathArguments) {}
    fn visit_attribute_mut(&mut self, _: &mut Attribute) {}
}

fn main() {
    let mut mutator = Mutator { file: String::new(), next_id: 0 };
    for path in env::args().skip(1) {
        let mut file = syn::parse_file(&fs::read_to_string(&path).expect("a file")).expect("Rust");
        mutator.file = path.clone();
        mutator.visit_file_mut(&mut file);
        fs::write(&path, quote!(#file).to_string()).expect("to write");
    }
}
