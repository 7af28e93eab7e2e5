//! The categories of GB/T 31000-2015 (社会治安综合治理基础数据规范, 事件类别): 17 classes with their sub-codes.

use protocol::event::Category;

/// One class with its sub-codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// The first two digits.
    pub code: u16,
    /// Name (类别名称).
    pub name: &'static str,
    /// Whether people's mediation (人民调解) may take it: classes 11 to 16 are no disputes among the people (民间纠纷).
    pub mediable: bool,
    /// Four-digit codes with their names.
    pub items: &'static [(u16, &'static str)],
}

const fn class(code: u16, name: &'static str, mediable: bool, items: &'static [(u16, &'static str)]) -> Class {
    Class { code, name, mediable, items }
}

/// All classes of the standard.
pub const CLASSES: [Class; 17] = [
    class(1, "婚恋家庭纠纷", true, &[(101, "恋爱及婚姻"), (102, "抚养赡养监护"), (103, "分家与继承"), (199, "其他")]),
    class(
        2,
        "邻里纠纷",
        true,
        &[(201, "用水排水通行通风采光"), (202, "相邻土地建筑利用"), (203, "相邻污染损害防止"), (299, "其他")],
    ),
    class(3, "人格权纠纷", true, &[(301, "姓名肖像"), (302, "名誉隐私"), (303, "身体健康及人身自由"), (399, "其他")]),
    class(
        4,
        "物权相关纠纷",
        true,
        &[(401, "财物返还及损害赔偿"), (402, "物业及其管理"), (403, "房屋等不动产登记"), (499, "其他")],
    ),
    class(
        5,
        "侵权相关纠纷",
        true,
        &[
            (501, "教育机构"),
            (502, "医疗损害"),
            (503, "交通事故"),
            (504, "环境污染"),
            (505, "产品责任"),
            (506, "网络侵权"),
            (507, "劳务损害"),
            (599, "其他"),
        ],
    ),
    class(
        6,
        "合同及相关纠纷",
        true,
        &[(601, "消费及服务"), (602, "房产买卖租赁"), (603, "交易贸易"), (604, "运输仓储"), (699, "其他")],
    ),
    class(
        7,
        "劳动人事争议",
        true,
        &[(701, "劳动合同、劳务派遣"), (702, "社会保险"), (703, "福利待遇"), (704, "人事争议"), (799, "其他")],
    ),
    class(
        8,
        "金融借贷纠纷",
        true,
        &[(801, "证券基金期货"), (802, "投资信托理财"), (803, "保险"), (804, "借贷及担保"), (899, "其他")],
    ),
    class(
        9,
        "土地及资源权属纠纷",
        true,
        &[(901, "土地承包经营"), (902, "宅基地使用"), (903, "山林矿产"), (904, "水域水利"), (999, "其他")],
    ),
    class(
        10,
        "其他民商事纠纷",
        true,
        &[
            (1001, "知识产权"),
            (1002, "公司企业设立解散"),
            (1003, "海事海商"),
            (1004, "竞争纠纷"),
            (1005, "票据与信用证"),
            (1006, "无因管理与不当得利"),
            (1099, "其他"),
        ],
    ),
    class(
        11,
        "城乡建设发展纠纷",
        false,
        &[
            (1101, "国有土地上房屋征收"),
            (1102, "农村集体土地征用"),
            (1103, "城乡规划及拆违"),
            (1104, "基础设施建设及市政市容"),
            (1105, "移民安置"),
            (1199, "其他"),
        ],
    ),
    class(
        12,
        "涉民政纠纷",
        false,
        &[(1201, "村(社区)选举和管理"), (1202, "优抚救助"), (1203, "区划边界"), (1299, "其他")],
    ),
    class(
        13,
        "其他行政执法纠纷",
        false,
        &[
            (1301, "城市管理"),
            (1302, "教育文体管理"),
            (1303, "工商税务管理"),
            (1304, "安全生产管理"),
            (1305, "交通运输管理"),
            (1306, "海事渔事管理"),
            (1307, "计划生育管理"),
            (1399, "其他"),
        ],
    ),
    class(
        14,
        "涉法涉诉纠纷",
        false,
        &[(1401, "涉公安"), (1402, "涉检察院"), (1403, "涉法院"), (1404, "涉司法行政机关")],
    ),
    class(15, "涉组织涉纪检纠纷", false, &[(1501, "组织人事"), (1502, "干部作风"), (1599, "其他")]),
    class(16, "涉民族宗教纠纷", false, &[(1601, "涉民族问题"), (1602, "涉宗教问题")]),
    class(99, "其他", true, &[]),
];

/// The class of a category; none for a code that this version does not know.
pub fn class_of(category: Category) -> Option<&'static Class> {
    let code = category.0.checked_div(100)?;
    CLASSES.iter().find(|class| class.code == code)
}

/// Its name for people: class, and sub-code where it says more. A code of a later list is shown as its digits.
pub fn name(category: Category) -> String {
    let Some(class) = class_of(category) else {
        return category.to_string();
    };
    match class.items.iter().find(|(code, name)| *code == category.0 && *name != "其他") {
        Some((_, item)) => format!("{}({item})", class.name),
        None => class.name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_lies_in_its_class() {
        assert_eq!(CLASSES.iter().map(|c| c.items.len()).sum::<usize>(), 79 - 1);
        for class in &CLASSES {
            assert!(class.items.iter().all(|(code, _)| code / 100 == class.code), "{}", class.name);
        }
        assert_eq!(name(Category(402)), "物权相关纠纷(物业及其管理)");
        assert_eq!(name(Category(299)), "邻里纠纷");
        assert_eq!(name(Category(9_900)), "其他");
        assert_eq!(name(Category(2_001)), "2001");
    }
}
